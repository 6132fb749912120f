#!/bin/sh
# SPDX-License-Identifier: MIT
# What people see of `mallet growth`: exit statuses, the one sentence for each bad input, JSON, the programs of findings.
#
# usage: growth.sh MALLET [FOLDER of the planted allocators]; without the folder, foreign subjects are left out: a sanitizer refuses them
#
#   refused SENTENCE ARGUMENT…   exit 2, nothing on standard output, and the sentence on stderr
#   ends STATUS ARGUMENT…        that exit status; output in $work/out, stderr in $work/err
#   printed PATTERN              the last request's output has it
#   holds WHAT COMMAND…          the command succeeds
set -u
mallet=$1
planted=${2:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
passed=0

count() { # 0 or not, what went wrong
    if [ "$1" -eq 0 ]; then
        passed=$((passed + 1))
    else
        echo "FAILED: $2"
        sed 's/^/    /' "$work/err" | head -20
        failed=$((failed + 1))
    fi
}

run() {
    "$mallet" "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
}

refused() {
    sentence=$1
    shift
    run "$@"
    [ $status -eq 2 ] && [ ! -s "$work/out" ] && head -1 "$work/err" | grep -q -- "$sentence"
    count $? "mallet $*: exit $status, wanted 2 and: $sentence"
}

ends() {
    wanted=$1
    shift
    run "$@"
    [ $status -eq "$wanted" ]
    count $? "mallet $*: exit $status, wanted $wanted"
}

printed() {
    grep -q -- "$1" "$work/out"
    count $? "no \`$1\` in the output"
}

holds() {
    what=$1
    shift
    "$@" >"$work/holds" 2>"$work/err"
    count $? "$what"
}

ends 0 growth --help
printed 'Usage: '
ends 0 growth --list
printed '^footprint  comb '
printed '^scaling    fragments '
ends 0 growth --list --json
printed '"shape": "comb"'
refused 'SUBJECT is missing' growth
refused 'one SUBJECT at a time' growth anvil glibc
refused 'unknown subject `nosuch`' growth nosuch
refused 'could not bind ./nosuch.so' growth ./nosuch.so
refused '--shape: there is no shape `nosuch`' growth --shape nosuch anvil
refused '--band: `17`' growth --band 17 anvil
refused '--band: `x`' growth --band x anvil
refused '--output: cannot make the folder' growth --output "$work/no/such" anvil

ends 0 growth --quick --shape thread_churn anvil
printed '^ok  *thread_churn  *100 rounds, live '
printed '^1 clean, 0 findings'
ends 0 growth --quick --json --shape zeroed --band 256 anvil
printed '"result": "clean"'

if [ -n "$planted" ]; then
    thrash=$planted/libgrowth_trim_thrash.so
    ends 0 growth --quick --shape boundary --band 256 "$planted/libgrowth_none.so"
    ends 1 growth --quick --shape boundary --band 256 --output "$work/programs" "$thrash"
    printed '^FINDING  boundary/256 '
    printed 'scaling: with 0 blocks of 256 bytes live, 1024 times malloc and free of one more made 2048 OS calls'
    program=$work/programs/libgrowth_trim_thrash.so-boundary-256
    printed "program: $program.c"
    holds 'the program compiles' cc -O1 -Wall -Werror -fno-builtin -pthread -o "$program" "$program.c"
    holds 'it does not show it on the libc' "$program"
    holds 'it shows it on the allocator' sh -c 'LD_PRELOAD=$1 "$2"; [ $? -eq 1 ]' - "$thrash" "$program"
    ends 1 growth --quick --json --shape boundary --band 256 "$thrash"
    printed '"check": "scaling"'
    printed '"program": null'
    printed '"findings": 1'
fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
