#!/bin/sh
# SPDX-License-Identifier: MIT
# What people see of `mallet mutants`: bad requests, kills by the command that is meant, JSON.
#
# usage: mutants.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"

refused 'no mutant is called `nobody`' mutants nobody
refused '--class: no mutant that was named is of the class `nothing`' mutants --class nothing
refused '--budget: `soon`' mutants --budget soon
refused '--sample: `0` is not a number from 1 to ' mutants --sample 0
refused '--output: cannot write into the folder /proc/x' mutants --output /proc/x student

if [ -n "$foreign" ]; then
    ends 0 mutants --output "$work/kept" student crash_at_load calloc_clears_nothing linear_free_list aba fork_hangs
    printed '^killed  *student .* alignment in malloc, by replay'
    printed '^killed  *crash_at_load .* refused in load'
    printed '^killed  *calloc_clears_nothing .* C23-7.24.3.2-p2-[bc] in fail, by conform'
    printed '^killed  *linear_free_list .* scaling in growth/fill_shuffled.*, by growth'
    printed '^killed  *aba .* overlap in [a-z]*, by interleave'
    printed '^killed  *fork_hangs .* progress in fork, by replay'
    printed '^single  *3 of  *3 killed'
    printed '^all  *6 of  *6 killed, of the hard ones 1 of 1'
    holds 'what a command wrote is kept' test -s "$work/kept/linear_free_list/growth.findings"
    ends 0 mutants --output "$work/kept" --json student
    printed '"result": "killed"'
    printed '"step": "replay"'
    ends 0 mutants --output "$work/kept" --class single --sample 2 --seed 3 student spin stack_block no_calloc
    printed '^all  *2 of  *2 killed'

    ends 4 mutants --output "$work/kept" shrink_keeps_all
    printed '^equivalent  *shrink_keeps_all '
    # no command is meant to find it, so nothing was tested
    ends 4 mutants --output "$work/kept" orphan
    printed '^not run  *orphan '
fi

finish
