#!/bin/sh
# SPDX-License-Identifier: MIT
# What people see of `mallet torture`: exit statuses, the one sentence for each bad input, text,
# JSON, known findings, programs.
#
# usage: torture.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"

ends 0 torture --help
printed 'Usage: '
ends 0 torture --list
printed '^opposite-reallocs '
usage 'SUBJECT is missing' torture
refused 'unknown subject `nobody`' torture nobody
refused '--scenario: `nothing` is none' torture --scenario nothing anvil
: >"$work/known" # empty
refused '--threads: `5` is not a number from 6 to 32' torture --threads 5 anvil
refused '--threads: `many`' torture --threads many anvil
refused '--time: `soon`' torture --time soon anvil
refused '--seed: `-1`' torture --seed=-1 anvil
refused '--output: cannot write into the folder .*known: Not a directory' torture --output "$work/known" anvil
refused '--binding: `glue`' torture --binding glue anvil
refused '/nonexistent/x: No such file' torture --known /nonexistent/x anvil
refused 'frob' torture anvil:frob=1

quick='--scenario first-call --time 1'
# shellcheck disable=SC2086 # words
ends 0 torture $quick --binding static anvil
printed '^first-call  *8 threads, .* process.*, .* calls*, .*: no finding'
printed 'may still be there'
# shellcheck disable=SC2086
ends 0 torture $quick --binding static --threads 6 --json anvil
printed '"result": "no finding"'

if [ -e "$mutants/libthreaded_none.so" ]; then
    racy="$mutants/libthreaded_exit_frees_live.so --scenario churn --time 30s" # shows within milliseconds, whatever the load
    # shellcheck disable=SC2086
    ends 1 torture $racy --repeat 2 --output "$work"
    printed ': FINDING '
    printed 'reproduced  [012] of 2'
    program=$(ls "$work"/libthreaded_exit_frees_live.so-churn-*.c | head -1)
    holds 'the program compiles without a warning' cc -Wall -Werror -O1 -pthread -o "$work/program" "$program"
    LD_PRELOAD="$mutants/libthreaded_exit_frees_live.so" timeout 200 "$work/program" >"$work/out" 2>"$work/err"
    [ $? -eq 1 ]
    count $? 'the program shows the race'
    printed 'processes failed'
    # shellcheck disable=SC2086
    ends 0 torture $racy --repeat 1 --write-baseline "$work/written" --findings "$work/lines"
    holds 'the baseline has the finding' grep -q '^libthreaded_exit_frees_live.so [a-z]* torture/churn  # thread' "$work/written"
    holds 'the finding is a line, before and after it is reproduced' test "$(grep -c '"site":"torture/churn"' "$work/lines")" -ge 2
    printf '# all of them\nlibthreaded_e* overlap torture/ch*\nlibthreaded_e* content torture/ch*\nlibthreaded_e* crash torture/churn\nlibthreaded_e* zeroed torture/churn\n' >"$work/known"
    # shellcheck disable=SC2086
    ends 0 torture $racy --json --known "$work/known"
    printed '"result": "expected"'
    printf 'libthreaded_e* overlap\n' >"$work/known"
    # shellcheck disable=SC2086
    refused 'known:1: the line is not' torture $racy --known "$work/known"

    # A queue of freed blocks for each size fills for long, and then growth ends.
    ends 0 torture --strict --scenario tls-destructors --time 2 --repeat 1 "$mutants/../sound/libsize_queues.so"

    # Blocks of a subject that says so are aligned to 8 bytes. A function that ends the process is
    # left out when the scenario runs again.
    cat >"$work/eight.c" <<'END'
#define _GNU_SOURCE
#include <stddef.h>
#include <sys/mman.h>
void *my_malloc(size_t size)
{
    size_t *start =
        mmap(NULL, size + 8, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        return NULL;
    *start = size + 8;
    return start + 1;
}
void my_free(void *block)
{
    if (block != NULL)
        munmap((size_t *)block - 1, ((size_t *)block)[-1]);
}
void *my_memalign(size_t alignment, size_t size) { __builtin_trap(); }
END
    here=$(pwd)
    cd "$work" || exit 1
    ends 1 torture --prefix my_ --lacks alignment --scenario handoff --scenario start-up --time 1 --repeat 1 eight.c
    printed '^handoff .*FINDING crash'
    printed '^handoff .*no finding'
    printed '^start-up .*no finding'
    holds 'nothing is said of alignment' sh -c '! grep -q alignment "$1"' - "$work/out"
    cd "$here" || exit 1

    # A realloc that frees before it copies: the verdict names it and the call that took the block
    # meanwhile.
    named() {
        run torture --scenario mix --time 20 --repeat 1 --seed "$1" --findings "$work/named" "$mutants/libthreaded_realloc_frees_first.so"
        [ $status -eq 1 ] && grep -q '; [a-z_]* of [0-9]* bytes in thread [0-9]* overlapped [a-z_]* of [0-9]* bytes in thread [0-9]*$' "$work/out" &&
            grep -q '"overlap": *\["[a-z_]* of [0-9]* bytes in thread [0-9]*", *"[a-z_]* of [0-9]* bytes in thread [0-9]*"\]' "$work/named"
    }
    named 1 || named 101 || named 201
    count $? 'a race whose two calls are named, in the output and in the finding'
fi

ends 4 torture anvil --time 1 --limit 1 --scenario churn --scenario handoff
printed '^handoff  *not run: the time was over'

finish
