#!/bin/sh
# SPDX-License-Identifier: MIT
# No process is left behind when a command is ended from outside, whatever its subject does:
# processes are known by a variable that all of them inherit.
#
# usage: leftovers.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"
if [ -z "$foreign" ]; then
    finish
    exit
fi
marker="MALLET_LEFTOVERS=$$"

alive() { # how many processes have the marker, zombies not counted: those have no environment
    grep -lz "^$marker\$" /proc/[0-9]*/environ 2>/dev/null | wc -l
}

# Of the command: its guard, and a child, which may live for milliseconds only.
children() { cat "/proc/$command"/task/*/children 2>/dev/null | wc -w; }

# At most ten seconds.
until_children() { for _ in $(seq 100); do [ "$(children)" -gt 1 ] && return; sleep 0.1; done; return 1; }
until_none() { for _ in $(seq 100); do [ "$(alive)" -eq 0 ] && return; sleep 0.1; done; return 1; }

leaves_nothing() { # signal, arguments
    signal=$1
    shift
    env --default-signal=INT "$marker" "$mallet" "$@" >"$work/out" 2>"$work/err" </dev/null &
    command=$! # a shell ignores SIGINT in what it starts in the background; env does not
    until_children
    count $? "mallet $*: starts no child"
    sleep 0.5
    kill -s "$signal" "$command"
    wait "$command" 2>/dev/null
    until_none
    count $? "mallet $*: $(alive) processes survive SIG$signal"
}

# Processes that were started for the library of orphans, which no other test uses, of this build.
orphans() { grep -lza "$mutants/libhostile_orphan_sessio[n]" /proc/[0-9]*/cmdline 2>/dev/null | wc -l; }

printf '#0 = malloc 12345\n' >"$work/hang.trace"
printf '#0 = malloc 12345\nfree #0\n' >"$work/orphan.trace"
"$mallet" replay --rounds 0 "$mutants/libhostile_orphan_session.so" "$work/orphan.trace" >"$work/out" 2>&1
count $? "the trace of an orphan passes"
for _ in $(seq 100); do [ "$(orphans)" -eq 0 ] && break; sleep 0.1; done
[ "$(orphans)" -eq 0 ]
count $? "a process in a session of its own survives an ordinary end"
for signal in INT TERM KILL; do
    leaves_nothing $signal replay "$mutants/libhostile_deadlock.so" "$work/hang.trace"
    leaves_nothing $signal torture --time 5 "$mutants/libhostile_orphan_session.so"
    leaves_nothing $signal conform "$mutants/libhostile_spin.so"
    leaves_nothing $signal torture anvil
    leaves_nothing $signal interleave --bound 2 anvil
    leaves_nothing $signal check "$mutants/libheap_none.so" --quick --output "$work/check"
done
finish
