#!/bin/sh
# SPDX-License-Identifier: MIT
# What people see of `mallet torture`: exit statuses, the one sentence for each bad input, text, JSON, known findings, programs.
#
# usage: torture.sh MALLET [FOLDER of the planted races]; without the folder, foreign subjects are left out: a sanitizer refuses them
set -u
mallet=$1
planted=${2:-/nonexistent}
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
    "$mallet" torture "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
}

refused() { # exit 2, nothing printed, the sentence on stderr
    sentence=$1
    shift
    run "$@"
    [ $status -eq 2 ] && [ ! -s "$work/out" ] && head -1 "$work/err" | grep -q -- "$sentence"
    count $? "mallet torture $*: exit $status, wanted 2 and: $sentence"
}

ends() {
    wanted=$1
    shift
    run "$@"
    [ $status -eq "$wanted" ]
    count $? "mallet torture $*: exit $status, wanted $wanted"
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

ends 0 --help
printed 'Usage: '
ends 0 --list
printed '^opposite-reallocs '
refused 'SUBJECT is missing'
refused 'unknown subject `nobody`' nobody
refused '`glibc` is one more' anvil glibc
refused '--scenario: `nothing` is none' --scenario nothing anvil
refused '--threads: `5` is not a number from 6 to 32' --threads 5 anvil
refused '--threads: `many`' --threads many anvil
refused '--time: `soon`' --time soon anvil
refused '--seed: `-1`' --seed=-1 anvil
refused '--output: /nonexistent/x: No such file' --output /nonexistent/x anvil
refused '--binding: `glue`' --binding glue anvil
refused '/nonexistent/x: No such file' --known /nonexistent/x anvil
refused 'frob' anvil:frob=1

quick='--scenario first-call --time 0'
# shellcheck disable=SC2086 # words
ends 0 $quick --binding static anvil
printed '^first-call  *8 threads, .* processes, .* calls, .*: no finding'
printed 'may still be there'
# shellcheck disable=SC2086
ends 0 $quick --binding static --threads 6 --json anvil
printed '"result": "no finding"'

if [ -e "$planted/libracy_none.so" ]; then
    racy="$planted/libracy_exit_frees_live.so --scenario churn --time 30s" # shows within milliseconds, whatever the load
    # shellcheck disable=SC2086
    ends 1 $racy --repeat 2 --output "$work"
    printed ': FINDING '
    printed 'reproduced  [012] of 2'
    program=$(ls "$work"/libracy_exit_frees_live.so-churn-*.c | head -1)
    holds 'the program compiles without a warning' cc -Wall -Werror -O1 -pthread -o "$work/program" "$program"
    LD_PRELOAD="$planted/libracy_exit_frees_live.so" timeout 200 "$work/program" >"$work/out" 2>"$work/err"
    [ $? -eq 1 ]
    count $? 'the program shows the race'
    printed 'processes failed'
    printf '# all of them\nlibracy_e* overlap ch*\nlibracy_e* content ch*\nlibracy_e* crash churn\nlibracy_e* zeroed churn\n' >"$work/known"
    # shellcheck disable=SC2086
    ends 0 $racy --json --known "$work/known"
    printed '"result": "known"'
    printf 'libracy_e* overlap\n' >"$work/known"
    # shellcheck disable=SC2086
    refused 'known:1: the line is not' $racy --known "$work/known"
fi

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
