#!/bin/sh
# SPDX-License-Identifier: MIT
# Subjects that end their process group, hang in their first calls, or deadlock while they complain: every command lives on, says what it saw,
# and does not end with 0.
#
# usage: hostile.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"
if [ -z "$foreign" ]; then
    finish
    exit
fi
for slot in $(seq 1 12); do echo "#$slot = malloc 100"; done >"$work/calls.trace"
printf '#0 = malloc 12345\nfree #0\n' >>"$work/calls.trace"

found() { # sentence, arguments
    sentence=$1
    shift
    run "$@"
    [ $status -eq 1 ] && grep -q -- "$sentence" "$work/out"
    count $? "mallet $*: exit $status, wanted 1 and: $sentence"
}

found 'died of signal 6 (Aborted)' replay --rounds 0 "$mutants/libhostile_kill_on_free.so" "$work/calls.trace"
found 'without returning' replay --rounds 0 "$mutants/libhostile_hang_early.so" "$work/calls.trace"
found 'a deadlock' replay --rounds 0 "$mutants/libhostile_assert_deadlock.so" "$work/calls.trace"
found 'of CPU time' conform -c C23-7.24.3.6-p2-a "$mutants/libhostile_hang_early.so"
run torture --time 1 --repeat 1 --scenario mix "$mutants/libhostile_hang_early.so"
[ $status -ne 0 ]
count $? "torture of a subject that hangs in its first calls ends with 0"
run growth --quick --workload cycles "$mutants/libhostile_hang_early.so"
[ $status -ne 0 ]
count $? "growth of a subject that hangs in its first calls ends with 0"
finish
