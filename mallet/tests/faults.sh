#!/bin/sh
# SPDX-License-Identifier: MIT
# `mallet replay --fail-os`: each planted bug that takes a refused OS call is found from a trace without any, by its check; the allocator without
# the bugs and glibc are left alone; bad requests get one sentence.
#
# usage: faults.sh MALLET TRACES [FOLDER of the planted bugs]; without the folder there is a sanitizer, under which nothing is watched
set -u
mallet=$1
traces=$2
planted=${3:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

check() { # 0 or not, what was wanted
    [ "$1" -eq 0 ] && return
    echo "FAILED: $2"
    sed 's/^/    /' "$work/out" "$work/err" | head -20
    failed=$((failed + 1))
}

run() { # status, arguments
    wanted=$1
    shift
    "$mallet" replay "$@" >"$work/out" 2>"$work/err" </dev/null
    status=$?
    [ $status -eq "$wanted" ]
    check $? "mallet replay $*: exit $status, wanted $wanted"
}

printed() {
    grep -q -- "$1" "$work/out"
    check $? "no \`$1\` in the output"
}

printf '#0 = malloc 1000\n#1 = malloc 400000\nfree #1\n' >"$work/small.trace"
run 2 anvil --fail-os many "$work/small.trace"
grep -q -- '--fail-os: `many`' "$work/err"
check $? "a sentence that names --fail-os"

if [ -z "$planted" ]; then
    run 2 anvil --fail-os all "$work/small.trace"
    grep -q 'without sanitizer' "$work/err"
    check $? "the reason why nothing is watched"
    exit $((failed > 0))
fi

finds() { # bug
    bug=$1
    name=$(sed -n "s/^# planted: $bug, //p" "$traces/$bug.trace")
    run 1 "$planted/libplanted_$bug.so" --fail-os all "$traces/$bug.trace"
    printed "^  check     $name:"
    echo "$bug: $name, $(grep -c '^FINDING' "$work/out") finding, $(tail -1 "$work/out")"
}
for bug in oom_poisons commit_fails_for_good munmap_fail_loses_block munmap_fail_sets_errno oom_errno_wrong oom_small_block oom_frees_old \
    oom_calloc_dirty oom_keeps_lock oom_half_grown commit_unchecked; do
    finds $bug
done

run 0 "$planted/libplanted_none.so" --fail-os all "$traces"
printed 'OS calls that failed: [0-9]* mmap'
run 0 "$planted/libplanted_none.so" --fail-pairs "$work/small.trace"
run 0 "$planted/libplanted_none.so" --fail-os 2 "$work/small.trace"
printed '^1 faults'
run 0 glibc --fail-pairs --rounds 0 "$work/small.trace"
run 0 anvil --fail-os all "$work/small.trace"
run 0 anvil --json --fail-os all "$work/small.trace"
printed '"failed_calls"'
exit $((failed > 0))
