#!/bin/sh
# SPDX-License-Identifier: MIT
# `mallet replay --fail-os`: each mutant that takes a refused OS call is found from a trace without
# any, by its check; the allocator without the bugs and glibc are left alone; bad requests get one
# sentence.
#
# usage: faults.sh MALLET [FOLDER of the mutants]; the words are in common.sh. Under a sanitizer
# nothing is watched
set -u
. "$(dirname "$0")/common.sh"
traces=$(dirname "$0")/../../mutants/traces

printf '#0 = malloc 1000\n#1 = malloc 400000\nfree #1\n' >"$work/small.trace"
refused '--fail-os: `many`' replay anvil --fail-os many "$work/small.trace"
if [ -z "$foreign" ]; then
    refused 'without sanitizer' replay anvil --fail-os all "$work/small.trace"
    finish
    exit
fi

ends 1 replay "$mutants/libheap_free_list_cycle.so" --limit 1 "$traces/free_list_cycle.trace" "$work/small.trace" # the first one hangs
printed '^1 trace not run: the time was over'

ends 1 replay --findings "$work/lines" "$mutants/libheap_calloc_wrap.so" "$traces/calloc_wrap.trace"
holds 'the finding is a line before it is repeated, and after' test "$(grep -c '"check":"impossible"' "$work/lines")" -eq 2

# A trace may take longer than the limit; the next one is not begun.
for i in $(seq 1500); do echo "#$i = malloc 16"; done >"$work/slow.trace"
ends 4 replay --rounds 0 --limit 1 "$mutants/../sound/libslow.so" "$work/slow.trace" "$work/small.trace"
printed '^1 trace not run: the time was over'

# Unless there is a minimum that it has not done yet.
ends 0 replay --rounds 0 --limit 1 --at-least 2 "$mutants/../sound/libslow.so" "$work/slow.trace" "$work/small.trace"
ends 4 replay --rounds 0 --limit 1 --at-least 1 "$mutants/../sound/libslow.so" "$work/slow.trace" "$work/small.trace"

i=0
while [ $((i += 1)) -le 100 ]; do echo "#$i = malloc 40000"; done >"$work/many.trace"
ends 4 replay "$mutants/../sound/libslow.so" --fail-os all --limit 1 "$work/many.trace" "$work/small.trace" # a trace may take longer
printed 'many.trace: [0-9]* OS calls, [0-9]* faults\{0,1\}, [0-9]* left out'
printed '^1 trace not run: the time was over'

finds() { # bug
    bug=$1
    name=$(sed -n "s/^# mutant: $bug, //p" "$traces/$bug.trace")
    ends 1 replay "$mutants/libheap_$bug.so" --fail-os all "$traces/$bug.trace"
    printed "^  check     $name:"
    echo "$bug: $name, $(grep -c '^FINDING' "$work/out") finding, $(tail -1 "$work/out")"
}
for bug in oom_poisons commit_fails_for_good munmap_fail_loses_block munmap_fail_sets_errno oom_errno_wrong oom_small_block oom_frees_old \
    oom_calloc_dirty oom_keeps_lock oom_half_grown commit_unchecked; do
    finds $bug
done

ends 0 replay "$mutants/libheap_none.so" --fail-os all --fail-max 12 "$traces"/oom_*.trace "$traces"/*munmap*.trace # ci/nightly: all of them
printed 'OS calls that failed: [0-9]* mmap'
ends 0 replay "$mutants/libheap_none.so" --fail-pairs "$work/small.trace"
ends 0 replay "$mutants/libheap_none.so" --fail-os 2 "$work/small.trace"
printed '^1 fault; '
refused '--fail-os: no trace makes 99999 OS calls: [1-9][0-9]* at most' replay glibc --fail-os 99999 "$work/small.trace"
ends 0 replay glibc --fail-pairs --rounds 0 "$work/small.trace"
ends 0 replay anvil --fail-os all "$work/small.trace"
ends 0 replay anvil --json --fail-os all "$work/small.trace"
printed '"failed_calls"'
finish
