#!/bin/sh
# SPDX-License-Identifier: MIT
# `mallet check NEW --against OLD`: what is new, unchanged and gone, what the exit status says, and
# what is refused before anything is written.
#
# usage: against.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"
cd "$work" || exit 1
refused '--against: unknown subject `nothing.so`' check anvil --against nothing.so -o "$work/o"
refused '--against: my.c must be built first' check anvil --against my.c -o "$work/o"
holds 'nothing was left by refusals' test ! -e "$work/o"
if [ -z "$foreign" ]; then
    finish
    exit
fi

mkdir corpus
printf '#0 = malloc 17\n#1 = malloc 16\n' >corpus/small.trace
printf '#0 = calloc 2^33 2147483648\n' >corpus/wrap.trace
old=$mutants/libheap_calloc_wrap.so
compared() { # STATUS NEW
    ends "$1" check "$2" --against "$old" --quick --limit 10 --corpus corpus -o "against-$1"
}
compared 1 "$mutants/libheap_round_to_8.so"
printed "^Against $old: [1-9][0-9]* new, 0 unchanged, [0-9]* gone\. The exit status is for what is new\.$"
printed '^   new  *alignment in '
printed '^   gone  *impossible in calloc: '
holds 'the JSON says so too' grep -q '"state": "gone"' against-1/check.json
compared 4 "$old" # incomplete in so little time; what is unchanged does not count
printed "^Against $old: 0 new, [1-9][0-9]* unchanged, 0 gone\."
printed '^   unchanged  *impossible in calloc '
finish
