#!/bin/sh
# SPDX-License-Identifier: MIT
# What people see of `mallet interleave`: exit statuses, the one sentence for each bad input,
# findings and their replay, an author's own program.
#
# usage: cli.sh FOLDER of the programs
#
#   refused SENTENCE ARGUMENT…   exit 2 and one line on stderr that matches the pattern
#   ends STATUS PROGRAM ARGUMENT…   that exit status; output in $work/out
#   printed PATTERN              the last output has it
set -u
programs=$1
mallet=$programs/mallet-interleave
[ -x "$programs/mallet" ] && mallet=$programs/mallet
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
passed=0

count() { # 0 or not, what went wrong
    if [ "$1" -eq 0 ]; then
        passed=$((passed + 1))
    else
        echo "FAILED: $2"
        cat "$work/out" "$work/err" | head -20
        failed=$((failed + 1))
    fi
}

interleave() {
    if [ "$mallet" = "$programs/mallet" ]; then
        "$mallet" interleave "$@"
    else
        "$mallet" "$@"
    fi
}

ends() {
    wanted=$1
    shift
    "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
    [ $status -eq "$wanted" ]
    count $? "$*: exit $status, wanted $wanted"
}

printed() {
    grep -q -- "$1" "$work/out"
    count $? "no \`$1\` in the output"
}

refused() {
    sentence=$1
    shift
    interleave "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
    [ $status -eq 2 ] && [ "$(wc -l <"$work/err")" -eq 1 ] && [ ! -s "$work/out" ] && grep -q -- "$sentence" "$work/err"
    count $? "$*: exit $status, wanted 2 and one line: $sentence"
}

usage() { # SENTENCE ARGUMENT…: exit 2, as argp prints it: the sentence and a hint at --help
    sentence=$1
    shift
    interleave "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
    [ $status -eq 2 ] && head -1 "$work/err" | grep -q -- "$sentence"
    count $? "$*: exit $status, wanted 2 and: $sentence"
}

# the request
ends 0 interleave --help
printed 'Usage: '
usage 'SUBJECT is missing'
usage 'one SUBJECT only, not also `aba`' threaded aba
usage 'unrecognized option .--frob' threaded --frob x
refused '--baseline: cannot read /nonexistent/x: No such file' aba --baseline /nonexistent/x
refused '--write-baseline: cannot write /nonexistent/x' aba --write-baseline /nonexistent/x
refused '--findings: cannot write /nonexistent/x: No such file' aba --findings /nonexistent/x
refused 'unknown subject `nobody`' nobody
refused '--scenario: unknown scenario `lunch`' threaded --scenario lunch
refused '--strategy: `luck` is none of exhaustive, pct' threaded --strategy luck
refused '--bound: `many` is not a number' threaded --bound many
refused '--bound: `33` is not a number from 0 to 32' threaded --bound 33
refused '--size: `0` is not a number' threaded --size 0
refused '--schedules: `0` is not a number' threaded --schedules 0
refused '--seed: `-1` is not a number' threaded --seed -1
refused '--replay needs --scenario and --size' threaded --replay 1:2
refused '--replay: `soon` is no schedule' threaded --scenario free_list_reuse --size 48 --replay soon
refused '--replay: only 0 of the 1 decisions are possible' threaded --scenario free_list_reuse --size 48 --replay 9999:2
ends 0 interleave --list
printed '^  threaded'
printed '^  opposite_reallocs'
interleave --list >/dev/full 2>"$work/err"
[ $? -eq 2 ] && grep -q 'standard output: No space left' "$work/err"
count $? '--list >/dev/full'
ends 0 interleave --list --json
printed '"scenarios": '

# exploring
ends 0 interleave threaded --scenario opposite_reallocs --bound 1
printed '^ok       threaded, opposite_reallocs, 48 bytes'
printed 'exhausted: all [0-9]* schedules with at most 1 pre-emption'
ends 0 interleave threaded --scenario opposite_reallocs --size 48 --schedules 3
printed 'not exhausted: 3 schedules'
ends 4 interleave threaded --scenario contended_lock --size 48 --bound 9 --schedules 999999 \
    --limit 1s
printed '^stopped  threaded, contended_lock, 48 bytes'
printed '^1 exploration not run to the end: the time was over'
ends 0 interleave threaded --scenario opposite_reallocs --size 48 --strategy pct --schedules 20 --seed 7
printed 'nothing in 20 schedules of seed 7 with 3 change points'
ends 1 interleave weakened_order --scenario remote_free_vs_malloc --size 48 --json
printed '"check": "race"'
printed '"exhausted": false'
ends 1 interleave aba --scenario free_list_reuse --size 200
printed '^FINDING  aba, free_list_reuse, 200 bytes'
printed 'overlap in malloc'
printed 'reproduced 5 of 5'

# what a baseline expects
ends 0 interleave aba --scenario free_list_reuse --size 200 --write-baseline "$work/baseline" --findings "$work/lines"
grep -q '^aba overlap malloc  # ' "$work/baseline" && grep -q '"schedule":"' "$work/lines"
count $? 'the baseline and the lines have the finding'
ends 0 interleave aba --scenario free_list_reuse --size 200 --baseline "$work/baseline"
printed '^known    aba, free_list_reuse, 200 bytes'

# the schedule that it prints shows it again, and is harmless without the bug
schedule=$(sed -n 's/.* --replay //p' "$work/out")
ends 1 interleave aba --scenario free_list_reuse --size 200 --replay "$schedule"
printed 'overlap in malloc'
printed 'thread 2'
ends 0 interleave threaded --scenario free_list_reuse --size 200 --replay "$schedule"
printed '^ok: '

# an author's own allocator
ends 0 "$programs/interleave_own_0" mine --scenario contended_lock --size 48 --bound 1
ends 1 "$programs/interleave_own_1" mine --scenario contended_lock --size 48
printed 'race in '

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
