#!/bin/sh
# SPDX-License-Identifier: MIT
# What people see of `mallet check`: what it refuses, the page, the folder it leaves, and that a step which cannot be done is never silent.
#
# usage: check.sh MALLET FOLDER of the mutants
set -u
. "$(dirname "$0")/common.sh"

echo "malloc_usable_size #0" >"$work/bad.trace"
mkdir "$work/corpus" "$work/empty"
printf '#0 = malloc 100\n#1 = calloc 3 7\nfree #0\n#1 = realloc #1 4000\nfree #1\n' >"$work/corpus/small.trace"

usage "SUBJECT is missing" check
usage "one SUBJECT only, not also .glibc" check anvil glibc
refused "could not bind.*/nowhere.so" check "$work/nowhere.so"
refused "no text traces in $work/empty" check anvil --corpus "$work/empty" -o "$work/o"
refused "cannot write into the folder /proc/nowhere/findings" check anvil --corpus "$work/corpus" -o /proc/nowhere
refused "$work/none" check anvil --known "$work/none"
refused "cannot read $work/none" check anvil --baseline "$work/none"
holds "nothing was left by refusals" test ! -e "$work/o"
if [ -z "$foreign" ]; then
    finish
    exit
fi

ends 0 check anvil --quick --limit 20m --corpus "$work/corpus" -o "$work/anvil"
for step in clauses traces threads refusals interleavings torture growth; do
    printed "^  $step .*ok "
    holds "the report of $step is there" test -s "$work/anvil/$step.json"
done
printed "^  fuzz .*\(ok \|not done .*is not built yet\)" # the engine has a preset of its own
printed "^anvil: 0 findings"
printed "^Not done"

ends 1 check "$mutants/libthreaded_errno_by_free.so" --quick --limit 20m --corpus "$work/corpus" -o "$work/racy" --json
printed '"site": "torture/handoff"'
program=$(ls "$work"/racy/torture/*errno.c | head -1)
holds "a finding's program compiles" cc -w -O1 -o "$work/program" "$program" -pthread
ends 0 check anvil --limit 2 --corpus "$work/corpus" -o "$work/short"
printed "^  [a-z]* .*not done .*stopped: the 2 seconds are over"
printed "^  fuzz  *not begun: the 2 seconds are over"
ends 0 check anvil --quick --limit 20 --corpus "$work/corpus" -o "$work/shares"
printed "^  torture .* ok " # each step has its share of the time
printed "^  torture  *[0-9]* not run: its time was over"
cp "$mutants/libheap_none.so" "$work/anvil-other.so"
cd "$work" || exit # so that what is typed begins like anvil, which it is not
"$mallet" check anvil-other.so --limit 2 --corpus "$work/corpus" -o "$work/other" >"$work/out" 2>"$work/err"
[ $? -le 1 ] # what its first clauses came to in that time
count $? "check anvil-other.so"
printed "^  interleavings  *only for code that is built for it"
refused '--limit: `soon`' check anvil --limit soon
printf 'libthreaded* nothing *\n' >"$work/bad-known"
refused "bad-known:1" check glibc --known "$work/bad-known"

finish
