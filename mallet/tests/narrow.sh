#!/bin/sh
# SPDX-License-Identifier: MIT
# Subjects of 32 bits, in the child program for them; where the kernel has no such programs, one
# sentence.
#
# usage: narrow.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$work" || exit 1

# A realloc that is right, and one that copies nothing.
cp "$root/examples/first-malloc/step6.c" right.c
cat >wrong.c <<'END'
#include <stddef.h>
static _Alignas(16) char pool[32 << 20];
static size_t used;
void *my_malloc(size_t size)
{
    size_t whole = (size + 15) & ~(size_t)15;
    if (whole < size || whole > sizeof pool - used)
        return NULL;
    used += whole;
    return pool + used - whole;
}
void my_free(void *block) { (void)block; }
void *my_realloc(void *block, size_t size) { (void)block; return my_malloc(size); }
END
printf '#0 = malloc 100\n#0 = realloc #0 5000\nfree #0\n#1 = malloc SIZE_MAX\n' >grow.trace
narrow='--prefix my_ --cflags -m32'

echo 'int main(void) { return 0; }' >runs.c
# shellcheck disable=SC2086 # words
refused 'nothing.c: No such file' replay $narrow nothing.c grow.trace
if [ -z "$foreign" ] || ! cc -m32 -o runs runs.c 2>/dev/null; then
    : # no foreign subjects, or no compiler for them
elif ! ./runs 2>/dev/null; then
    # shellcheck disable=SC2086 # words
    refused 'the process for it cannot be started: Exec format error' replay $narrow right.c grow.trace
    refused 'cannot run the probes on mallet-conform-32: Exec format error' conform "$(dirname "$mallet")/mallet-conform-32"
else
    # shellcheck disable=SC2086 # words
    {
        ends 0 replay --rounds 0 $narrow right.c grow.trace "$root/corpus/seeds"
        ends 1 replay --rounds 0 $narrow wrong.c grow.trace
        printed 'check     content: '
    }
    # A program that refuses what the system is asked for does so for 32 bits.
    cat >unchecked.c <<'END'
#include <stddef.h>
#include <sys/mman.h>
void *my_malloc(size_t size)
{
    char *page = mmap(NULL, size + 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    page[0] = 1;
    return page + 16;
}
void my_free(void *block) { (void)block; }
END
    printf '#0 = malloc 100\nfail-os 1\n#1 = malloc 100\n' >refuse.trace
    # shellcheck disable=SC2086 # words
    ends 1 replay --json --rounds 0 $narrow unchecked.c refuse.trace
    if command -v python3 >/dev/null; then
        python3 -c 'import json, sys; print(json.load(sys.stdin)["traces"][0]["finding"]["program"])' <"$work/out" >refuse.c
        holds 'the program compiles without a warning' cc -m32 -Wall -Werror -pthread -o refuse refuse.c
        LD_PRELOAD=$work/mallet-report/built/unchecked.so ./refuse 2>/dev/null
        [ $? -gt 128 ]
        count $? 'and shows the death'
        holds 'which is not the libc s' ./refuse
    fi
fi

finish
