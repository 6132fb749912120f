#!/bin/sh
# SPDX-License-Identifier: MIT
# Subjects whose functions have names and arguments of their own: the examples are left alone,
# broken ones are found, and the programs of findings call what is declared.
#
# usage: declare.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)
traces=$root/corpus/seeds
cd "$work" || exit 1
cp "$root"/examples/declared/* .

# wrong SENTENCE LINE: a declaration with this line, the third
wrong() {
    printf 'malloc = zone_allocx(size!, 0)\nfree = zone_freex(block!, 0)\n%s\n' "$2" >wrong.declare
    refused "mallet: --declare: wrong.declare:$1" replay --declare wrong.declare zone.c "$traces"
}

refused '--declare: none: No such file' replay --declare none zone.c "$traces"
refused '--declare: it states what --prefix would' replay --declare zone.declare --prefix my_ zone.c "$traces"
wrong '3: no line such as' 'calloc zone_allocx'
wrong '3: no line such as' 'calloc = zone_allocx(total) more'
wrong '3: `callock` is no function of the malloc family' 'callock = zone_allocx(size)'
wrong '3: calloc(size_t count, size_t size) has no argument `block`' 'calloc = zone_allocx(block)'
wrong '3: malloc_trim(size_t keep) has no argument `total`' 'malloc_trim = zone_trim(total)'
wrong '3: `12x` is no number' 'calloc = zone_allocx(total, 12x)'
wrong '3: more than 6 arguments' 'calloc = zone_allocx(0, 0, 0, 0, 0, 0, 0)'
wrong '3: `zone-allocx` is neither a symbol nor operator new' 'calloc = zone-allocx(total)'
wrong '3: operator new has no form with argument 1' 'calloc = operator new(count)'
wrong '3: malloc was declared in line 1' 'malloc = zone_allocx(size)'
wrong '3: operator delete must get the alignment too' 'aligned_alloc = operator new(size, alignment)'
wrong '3: .*zone.c does not define zone_calloc' 'calloc = zone_calloc(total)'
printf '\n# nothing\n' >wrong.declare
refused 'wrong.declare:1: malloc is not declared' replay --declare wrong.declare zone.c "$traces"
printf 'free = x(block)\nmalloc = y(size)\nrealloc = z(block, size)\naligned_alloc = a(size, alignment)\nfree_aligned = f(block)\n' >wrong.declare
refused 'wrong.declare:3: realloc may get any block' replay --declare wrong.declare zone.c "$traces"

# sound DECLARATION SOURCE: no command may accuse it
sound() {
    ends 0 replay --strict --rounds 0 --declare "$@" "$traces"
    ends 0 replay --strict --rounds 0 --fail-os all --fail-max 3 --declare "$@" "$traces"/alignment-*.trace
    ends 0 replay --strict --rounds 0 --deal 1 --declare "$@" "$traces/threads.trace" "$traces/free-order.trace"
    ends 0 conform --strict -c 'C23-7.24.3*' -c 'POSIX24*' --declare "$@"
    ends 0 growth --strict --quick --workload cycles --declare "$@"
    ends 0 torture --strict --time 1 --repeat 1 --scenario handoff --declare "$@"
    ends 4 torture --scenario fork-stdio --declare "$@"
    printed 'not applicable: needs process'
}

# broken FILE SED COMMAND…: zone.c with a bug, which the command finds
broken() {
    file=$1
    sed "$2" zone.c >"$file"
    ! cmp -s zone.c "$file"
    count $? "the edit of $file no longer fits: $2"
    shift 2
    ends 1 "$@" --declare zone.declare "$file"
}

# shows PROGRAM LIBRARY NAME: the program calls that name, and ends badly on the library
shows() {
    holds "$1 calls $3" grep -q "\"$3\"" "$1"
    holds "$1 compiles" cc -w -fno-builtin -O1 -o program "$1" -pthread
    LD_PRELOAD=$2 ./program >"$work/out" 2>"$work/err"
    [ $? -eq 1 ]
    count $? "$1 does not show it"
}

if [ -n "$foreign" ]; then
    sound pool.declare pool.cc
    sound zone.declare zone.c
    holds 'the names of what there is, and no malloc' sh -c 'nm -D --defined-only "$1" | grep -q " T mallet_declared_calloc$" && ! nm -D --defined-only "$1" | grep -q " malloc$"' - mallet-report/built/zone.so

    # A shared object, which has to be found again where it is.
    mkdir elsewhere
    cc -shared -fPIC -O1 -fno-builtin -Wl,-soname,libzone.so.1 -o elsewhere/libzone.so zone.c -pthread
    ln -s libzone.so elsewhere/libzone.so.1
    ends 0 replay --rounds 0 --declare zone.declare elsewhere/libzone.so "$traces/sizes-small.trace"

    broken clears.c 's/\*ret_is_zero = unused == NULL;/*ret_is_zero = 1;/' conform -c 'C23-7.24.3.2-p2*' --programs programs/clears
    shows programs/clears/*-p2-b.c "$work/mallet-report/built/clears.so" zone_allocx
    broken leaks.c 's/        unused->next = lists\[class_of(tag.length)\];/        return (void)pthread_mutex_unlock(\&lock);/' \
        growth --quick --workload cycles --output programs/leaks
    shows programs/leaks/*.c "$work/programs/leaks/built/leaks.so" zone_freex
    ends 1 torture --scenario handoff --time 1 --repeat 1 --output programs/threads --declare zone.declare clears.c
    shows programs/threads/*-zeroed.c "$work/programs/threads/built/clears.so" zone_freex
    for mutant in pool_sized_next_class pool_aligned_as_new zone_zero_recycled; do
        ends 1 replay --rounds 0 "$mutants/libdeclared_$mutant.so" "$root/mutants/traces/$mutant.trace"
    done
fi

finish
