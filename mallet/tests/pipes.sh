#!/bin/sh
# SPDX-License-Identifier: MIT
# Standard streams that go away: with nobody left to read, a command ends soon and quietly, as
# others do, and leaves no process behind; a closed stream takes no descriptor from another file.
#
# usage: pipes.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"

good=$work/good.trace
printf '#0 = malloc 48\nfree #0\n' >"$good"
marker="MALLET_PIPES=$$"

unread() { # the reader has gone before the command writes
    { read -r _; env "$marker" "$mallet" "$@" 2>"$work/err"; echo $? >"$work/status"; } <"$work/go" | : &
    sleep 0.1
    echo >"$work/go"
    wait $!
    until_written "$work/status"
    [ "$(cat "$work/status")" -eq 141 ] && [ ! -s "$work/err" ]
    count $? "mallet $* | :: exit $(cat "$work/status"), wanted 141, as of SIGPIPE, and no message"
    rm "$work/status"
}

until_written() { for _ in $(seq 300); do [ -s "$1" ] && return; sleep 0.1; done; echo 99 >"$1"; }

mkfifo "$work/go"
unread --help
unread list
unread list --json
unread clauses
unread clauses --json
unread clauses C23-7.24.3-p1-a
unread check --help
unread growth --list
unread torture --list
unread bench --list
unread show "$good"
unread encode "$good"
unread export "$good"
unread diff "$good" anvil anvil:fit:best
unread replay anvil "$good"
unread replay --json anvil "$good"
unread conform --clause 'C23-7.24.3.1-p2-d' anvil
unread conform --format html --clause 'C23-7.24.3.1-p2-d' anvil
unread growth anvil --time 600 # the rest of it is not run
unread torture anvil --time 20

alive() { grep -lz "^$marker\$" /proc/[0-9]*/environ 2>/dev/null | wc -l; }
for _ in $(seq 100); do [ "$(alive)" -eq 0 ] && break; sleep 0.1; done
holds "$(alive) processes are left" test "$(alive)" -eq 0

# closed streams
"$mallet" list >&- 2>"$work/err"
[ $? -eq 2 ] && grep -q 'cannot write to standard output: Bad file descriptor' "$work/err"
count $? 'list >&-'
"$mallet" list 1</dev/null 2>"$work/err"
[ $? -eq 2 ] && grep -q 'cannot write to standard output: Bad file descriptor' "$work/err"
count $? 'list 1</dev/null'
"$mallet" replay anvil "$good" <&- >"$work/out" 2>"$work/err"
[ $? -eq 0 ] && grep -q '^1 passed' "$work/out"
count $? 'replay <&-'
"$mallet" replay anvil - <&- >"$work/out" 2>"$work/err"
[ $? -eq 2 ] && grep -q '^mallet: -: the trace is empty' "$work/err"
count $? 'replay - <&-'
"$mallet" replay anvil "$good" 2>&- </dev/null >"$work/out"
[ $? -eq 0 ] && grep -q '^1 passed' "$work/out"
count $? 'replay 2>&-'

finish
