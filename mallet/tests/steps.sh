#!/bin/sh
# SPDX-License-Identifier: MIT
# The six steps of examples/first-malloc: each has just the findings that its page promises, and can
# be drawn.
#
# usage: steps.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)
steps=$root/examples/first-malloc
traces=$root/corpus/seeds
few="$traces/sizes-small.trace $traces/sizes-impossible.trace $traces/coalesce-abc.trace $traces/realloc-chain.trace $traces/os-fails.trace $traces/free-order.trace $traces/fork.trace"
cd "$work" || exit 1
usage 'SUBJECT is missing' draw
usage 'SUBJECT is missing' draw "$traces/coalesce-abc.trace"
refused 'too many for a picture' draw "$traces/many-small.trace" glibc
if [ -z "$foreign" ]; then
    finish
    exit
fi

# finds N CHECKS OPTION…: step N fails these checks and no others
finds() {
    step=$1
    wanted=$2
    shift 2
    # shellcheck disable=SC2086 # words
    run replay --prefix my_ "$@" "$steps/step$step.c" $few
    found=$(sed -n 's/^  check     \([a-z]*\):.*/\1/p' "$work/out" | sort -u | tr '\n' ' ')
    [ "$found" = "$wanted" ] && [ $status -eq "$([ -z "$wanted" ]; echo $?)" ]
    count $? "step $step: found $found(exit $status), wanted $wanted"
}
finds 1 'alignment footprint impossible overlap ' --lacks threads --rounds 40
finds 2 'alignment errno ' --lacks threads --rounds 40
finds 3 'errno ' --lacks threads --rounds 40
finds 4 'errno ' --lacks threads --rounds 40
finds 5 'errno recovery ' --lacks threads --rounds 40
finds 6 '' --rounds 40
for fit in WORST_FIT; do
    finds 5 'errno recovery ' --lacks threads --rounds 40 --cflags "-DFIT=$fit"
done
ends 0 torture --prefix my_ --scenario fork --scenario handoff --time 1 "$steps/step6.c"
ends 0 replay --prefix my_ --deal 1 --rounds 0 "$steps/step6.c" "$traces/coalesce-abc.trace" "$traces/free-order.trace"

for step in 1 2 3 4 5 6; do
    ends 0 draw --prefix my_ -o "step$step.svg" "$steps/page.trace" "$steps/step$step.c"
    holds 'it is a picture of every op' test "$(grep -c '<text x="12"' "step$step.svg")" -ge "$(grep -vc '^ *#\( \|$\)' "$steps/page.trace")"
    holds_if_there 'it is XML' xmllint --noout "step$step.svg"
done
printf '#0 = malloc 17\n#1 = malloc 16\n' >bad.trace
ends 0 draw -o bad.svg bad.trace "$mutants/libheap_round_to_8.so"
holds 'a finding is told' grep -q '>alignment: malloc(16) returned' bad.svg
finish
