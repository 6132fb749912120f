#!/bin/sh
# SPDX-License-Identifier: MIT
# `mallet grade RUBRIC DIR`: points by checks and clauses, what cannot be checked, what a submission
# cannot do, and bad rubrics.
#
# usage: grade.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"
sound=$(cd "$(dirname "$0")/../.." && pwd)/examples/malloclab/mm.c
cd "$work" || exit 1
mkdir empty subs subs/folder corpus
printf '#0 = malloc 200\n#1 = malloc 9\n#0 = realloc #0 100\n' >corpus/resize.trace
cat >rubric <<END
title   Lab
file    mm.c
options --quick --lab malloclab --corpus $work/corpus
limit   8s
points  10 builds   
points  30 content overlap
END
sed -e 's/^limit .*/limit 60s/' -e '/^points/d' rubric >clauses
echo 'points 5 C23-7.24.3.6-p2*' >>clauses

usage 'DIR is missing' grade rubric
refused 'cannot read none: No such file' grade none subs
refused 'empty: no submission in it: .c, .o, .a, .so, or folders with mm.c' grade rubric empty
echo 'points 10 contents' >bad
refused 'bad:1: `contents` is no check, no clause' grade bad subs
printf 'title x\n\npoints many content\n' >bad
refused 'bad:3: `points` needs a number' grade bad subs
printf 'title x\npoint 3 content\n' >bad
refused 'bad:2: `point` is none of title' grade bad subs
echo 'title x' >bad
refused 'bad: no line `points' grade bad subs
holds 'nothing was left by refusals' test ! -e mallet-report
if [ -z "$foreign" ]; then
    finish
    exit
fi

cp "$sound" subs/folder/mm.c
sed 's/kept < wanted ? kept : wanted/kept < wanted ? kept : wanted - 60/' "$sound" >subs/copy.c
echo 'int x = ;' >subs/wrong.c
echo 'not a submission' >subs/readme.txt
# sound, but it tries to get out
{
    cat "$sound"
    cat <<END
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
__attribute__((constructor)) static void escape(void)
{
    struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = 9, .sin_addr = {0x0100007f}};
    int is_online = connect(socket(AF_INET, SOCK_DGRAM, 0), (void *)&there, sizeof there) == 0;
    open(is_online ? "online" : "offline", O_CREAT | O_WRONLY, 0600);
    open("$work/escaped", O_CREAT | O_WRONLY, 0600);
}
END
} >subs/curious.c
# prints for ever: nothing can be tested, and silence earns no points
sed 's/^int mm_init(void)/int mm_init(void) { for (;;) puts("still here"); }\nint init(void)/' "$sound" |
    sed '1i #include <stdio.h>' >subs/prints.c
# sound, but it starts processes until it may start no more
{
    cat "$sound"
    cat <<END
#include <fcntl.h>
#include <signal.h>
enum { MANY = 350 + 64 * $(nproc) };
__attribute__((constructor)) static void multiply(void)
{
    static int children[MANY];
    int count = 0, first = open("multiplied", O_CREAT | O_EXCL | O_WRONLY, 0600);
    while (first >= 0 && count < MANY && (children[count] = fork()) > 0)
        count++;
    if (count < MANY && children[count] == 0 && first >= 0)
        for (;;)
            pause();
    if (count == MANY)
        open("endless", O_CREAT | O_WRONLY, 0600);
    while (count > 0)
        kill(children[--count], SIGKILL);
}
END
} >subs/many.c
how=''
run grade rubric subs
if grep -q 'no process have a network' "$work/err"; then
    echo "this system has no user namespaces: the sandbox is not tested"
    how=--no-sandbox
    run grade $how rubric subs
else
    holds 'it had no network' test -e mallet-report/grade/curious.c/offline -a ! -e mallet-report/grade/curious.c/online
    holds 'it wrote nothing outside' test ! -e "$work/escaped"
    holds 'it tried to multiply' test -e mallet-report/grade/many.c/multiplied
    grep -q 'any number of processes' err ||
        holds 'and was stopped' test ! -e mallet-report/grade/many.c/endless
fi
[ $status -eq 4 ] || [ $status -eq 0 ]
count $? "grade: exit $status"
printed '^Lab: 6 submissions, 40 points'
printed '^copy.c  *10  *0  *10/40'
printed '^curious.c  *10  *30  *40/40'
printed '^folder  *10  *30  *40/40'
printed '^prints.c  *10  *0  *10/40  incomplete'
printed '^wrong.c  *0  *0  *0/40  not checked: --lab: cannot build .*error: expected'
holds 'the JSON says what was not tested' \
    grep -q 'not tested: the step pass did nothing' mallet-report/grade/grade.json
holds 'the JSON says why' grep -q '"sentence": ".*kept only' mallet-report/grade/grade.json

# points for clauses, of what has another defect
mkdir one
cp subs/copy.c one
run grade $how clauses one # no word if it is empty
printed '^copy.c  *5  *5/5'
finish
