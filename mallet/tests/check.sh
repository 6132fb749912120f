#!/bin/sh
# SPDX-License-Identifier: MIT
# What people see of `mallet check`: what it refuses, the page, the folder it leaves, one entry for
# each defect, and that what was not done is never silent. The checks are cut short: what a whole
# level finds is for ci/nightly.
#
# usage: check.sh MALLET FOLDER of the mutants
set -u
. "$(dirname "$0")/common.sh"

echo "malloc_usable_size #0" >"$work/bad.trace"
mkdir "$work/corpus" "$work/empty"
printf '#0 = malloc 100\n#1 = calloc 3 7\nfree #0\n#1 = realloc #1 4000\nfree #1\n#2 = malloc 17\n#3 = malloc 16\n' >"$work/corpus/small.trace"
printf '#0 = calloc 2^33 2147483648\n' >"$work/corpus/wrap.trace"

usage "SUBJECT is missing" check
usage "one SUBJECT only, not also .glibc" check anvil glibc
refused "could not bind.*/nowhere.so" check "$work/nowhere.so"
refused "--corpus: no text traces (\*.trace) in $work/empty" check anvil --corpus "$work/empty" -o "$work/o"
refused "cannot write into the folder /proc/nowhere" check anvil --corpus "$work/corpus" -o /proc/nowhere
refused "cannot read $work/none" check anvil --baseline "$work/none"
refused '--limit: `soon`' check anvil --limit soon
printf 'libthreaded* nothing *\n' >"$work/bad-baseline"
refused "bad-baseline:1" check glibc --baseline "$work/bad-baseline"
holds "nothing was left by refusals" test ! -e "$work/o"
if [ -z "$foreign" ]; then
    finish
    exit
fi

# Green means tested.
ends 4 check glibc --limit 2 -o "$work/short"
printed "^glibc: INCOMPLETE\. Nothing was found in what ran\. [0-9]* of 10 steps did not get their minimum:"
printed "^   torture  *0 of at least 10 scenarios: not begun: the 2 seconds are over"
printed "^   interleavings  not run: only for code that is built for it"
printed "Exit status 4\.$"
holds "the JSON is there" grep -q '"complete": false' "$work/short/check.json"

ends 4 check "$mutants/../sound/libfamily_realloc.so" --limit 1 -o "$work/family"
printed "^   not there, so not tested: calloc, aligned_alloc, posix_memalign, memalign, malloc_usable_size$"

# One defect, one entry: alignment shows in every function and in many clauses.
mine=$work/mine.so
checked() { # STATUS OPTION…
    wanted=$1
    shift
    ends "$wanted" check "$mine" --quick --limit 8 --corpus "$work/corpus" -o "$work/mine" "$@"
}
cp "$mutants/libheap_round_to_8.so" "$mine"
checked 1 --limit 20 # what was found is shrunk within a sixth of it
printed "^mine\.so: [0-9]* defects\{0,1\}"
printed "^[0-9]*\. WRONG  malloc returns a block that is not aligned as promised  ([35] of [35])"
printed "^     void \*b = malloc(16);"
printed "^     repeat    mallet replay $mine $work/mine/[0-9]*/trace\.trace"
# It shows in ten classes and more. One, unless the time did not suffice to shrink what a refused
# request to the system has to do with it.
holds "its classes are one entry" test "$(grep '^[0-9]*\. .*not aligned' "$work/out" | grep -vc 'was refused')" -eq 1
holds "or two" test "$(grep -c '^[0-9]*\. .*not aligned' "$work/out")" -le 2
program=$(sed -n 's/^     program   //p' "$work/out" | head -1)
line=$(sed -n "s/^     debug     gdb .* -ex 'break \([0-9]*\)' -ex run \.\/program\$/\1/p" "$work/out" | head -1)
holds "the debugger stops at its failing call" sh -c 'sed -n "$1p" "$2" | grep -q "= do_malloc(16);"' - "${line:-none}" "$program"
holds "its program compiles" cc -w -fno-builtin -o "$work/program" "$program" -pthread
holds "its program shows it" sh -c 'LD_PRELOAD=$1 "$2"; [ $? -eq 1 ]' - "$mine" "$work/program"

# What is expected does not count, and is not shown.
printf 'mine.so alignment *  # blocks of 8\nmine.so content none  # mended\n' >"$work/baseline"
run check "$mine" --quick --limit 8 --corpus "$work/corpus" -o "$work/mine" --baseline "$work/baseline"
printed "[0-9]* new, [1-9][0-9]* expected, [0-9]* stale\."
holds "no trace is about it" test "$(grep '^[0-9]*\. .*not aligned' "$work/out" | grep -vc '([A-Z0-9]*-')" -eq 0

# A folder belongs to one build.
checked 1 --json
printed '"severity": "wrong result"'
printed '"also": \['
cp "$mutants/libheap_none.so" "$mine"
run check "$mine" --quick --limit 8 --corpus "$work/corpus" -o "$work/mine"
printed "^Of an earlier build in this folder:"
printed "^   gone  *alignment in malloc"
cp "$mutants/libheap_calloc_wrap.so" "$mine"
checked 1
printed "^[0-9]*\. WRONG  calloc succeeds where nothing can fit"
cp "$mutants/libheap_none.so" "$work/another.so"
run check "$work/another.so" --quick --limit 8 --corpus "$work/corpus" -o "$work/mine"
holds "the findings of another subject are not held against this one" test "$(grep -c 'earlier build' "$work/out")" -eq 0
cp "$mutants/libheap_calloc_wrap.so" "$mine"
checked 1
printf 'x' >>"$mine" # another build
checked 1
printed "^   still there  *impossible in calloc"
holds "in the words of this build" grep -q '^1\. .*calloc succeeds where nothing can fit.*([1-9] of 5)' "$work/out"

# What an interrupt leaves is written down, whether something was found by then or not.
"$mallet" check glibc --quick -o "$work/interrupted" >"$work/out" 2>"$work/err" &
sleep 3
kill -INT $!
wait $!
[ $? -eq 130 ]
count $? "an interrupted check ends with 130"
printed "^glibc: INTERRUPTED\. \(Nothing was found\|[0-9]* defects\?\)"
holds "the JSON says so" grep -q '"interrupted": true' "$work/interrupted/check.json"

finish
