#!/bin/sh
# SPDX-License-Identifier: MIT
# What people see: subjects under the names that they typed, colours on a terminal only, and not
# with NO_COLOR, texts as wide as the terminal.
#
# usage: manners.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"
cd "$work" || exit 1
printf '#0 = malloc 48\nfree #0\n' >small.trace

# every command that names its subject, with whichever known allocator is there
run list
name=$(sed -n 's/^\(jemalloc\|mimalloc\|tcmalloc\) (.*/\1/p' "$work/out" | head -1)
if [ -n "$foreign" ] && [ -n "$name" ]; then
    names_it() { # STATUS ARGUMENT…
        ends "$@"
        holds "$2 says $name, not its file" sh -c 'grep -q "\"subject\": \"$1\"" "$2" && ! grep -q "\"subject\": \"lib" "$2"' - "$name" "$work/out"
    }
    names_it 0 replay --json --rounds 0 "$name" small.trace
    names_it 0 diff --json small.trace "$name" glibc
    names_it 0 conform --json --clause 'C23-7.24.3.6-p3-a' "$name"
    names_it 0 growth --json --workload fill_fifo "$name"
    names_it 0 torture --json --scenario churn --time 1 "$name"
    ends 0 conform --clause 'C23-7.24.3.6-p3-a' "$name"
    printed "^$name, c23: 1 pass"
fi

# a page of findings
mkdir traces
printf '#0 = calloc 2^33 2^31\nfree #0\n' >traces/wraps.trace
escape=$(printf '\033')
page() { # COLUMNS, what else goes into the environment: a page on a terminal of that width
    script -qec "stty cols $1; $2 '$mallet' check --quick --limit 2s --corpus traces --output page '$mutants/libheap_calloc_wrap.so' 2>/dev/null" /dev/null |
        tr -d '\r' >seen
}
if [ -n "$foreign" ] && command -v script >"$work/which"; then
    page 60 TERM=xterm
    holds 'a terminal gets colours' grep -q "$escape\\[1m" seen
    holds 'a finding is there' grep -q '^     seen ' seen
    awk '/^     seen / { on = 1 } on && !/^     (seen |          )/ { on = 0 } on && length($0) > 60 { bad = 1 } END { exit bad }' seen
    holds 'its text is wrapped at the width of the terminal' test $? -eq 0
    page 200 'NO_COLOR=1 TERM=xterm'
    holds 'it is there again' grep -q '^     seen ' seen
    grep -q "$escape" seen
    holds 'none with NO_COLOR' test $? -eq 1
    run check --quick --limit 2s --corpus traces --output page "$mutants/libheap_calloc_wrap.so"
    printed '^     seen '
    grep -q "$escape" "$work/out"
    holds 'none where there is no terminal' test $? -eq 1
fi
finish
