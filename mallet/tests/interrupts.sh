#!/bin/sh
# SPDX-License-Identifier: MIT
# Ctrl-C in the middle of a command: it ends at once with 130, and its JSON has what is known and
# says that it was interrupted.
#
# usage: interrupts.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"
if [ -z "$foreign" ]; then
    finish
    exit
fi
sound=$mutants/../sound

# At most a minute, until the command catches SIGINT, which is the second bit.
until_caught() {
    for _ in $(seq 600); do
        grep -q '^SigCgt:.*[2367abef]$' "/proc/$command/status" && return
        sleep 0.1
    done
    return 1
}

ends() { # arguments of a command that takes many seconds
    env --default-signal=INT "$mallet" "$@" --json >"$work/out" 2>"$work/err" </dev/null &
    command=$!
    until_caught
    count $? "mallet $*: does not catch SIGINT"
    sleep "$delay"
    kill -INT "$command"
    begin=$(date +%s)
    wait "$command"
    [ $? -eq 130 ]
    count $? "mallet $*: does not end with 130"
    holds "mallet $1 ends soon" test $(($(date +%s) - begin)) -le 20
}

interrupted() { # the same
    ends "$@"
    printed '"interrupted": true'
    holds "mallet $1 writes whole JSON" test "$(tail -1 "$work/out")" = '}'
}

delay=2
interrupted growth --quick "$sound/libguard.so"
interrupted torture --time 5 "$sound/libguard.so"
interrupted conform "$sound/libslow.so"
interrupted replay --rounds 20 "$sound/libslow.so" "$(dirname "$0")/../../corpus/seeds"
# what has not shown its class once more has nothing to print
ends shrink "$mutants/libheap_gap_bit_24.so" "$(dirname "$0")/../../mutants/traces/gap_bit_24.trace"
interrupted interleave anvil
delay=0 # before there is a result
interrupted mutants --quick --class single --output "$work/mutants"
finish
