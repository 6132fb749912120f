#!/bin/sh
# SPDX-License-Identifier: MIT
# A solution of the malloc lab as a subject: a sound one is left alone, broken ones are found, and
# what the lab does not ask is not applicable.
#
# usage: lab.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"
root=$(cd "$(dirname "$0")/../.." && pwd)
traces=$root/corpus/seeds
cd "$work" || exit 1
cp "$root/examples/malloclab/mm.c" .

# breaks FILE SED: the same with a bug
breaks() {
    sed "$2" mm.c >"$1"
    ! cmp -s mm.c "$1"
    count $? "the edit of $1 no longer fits: $2"
}

refused '--lab: `nolab` is none of malloclab' replay --lab nolab mm.c "$traces"
refused '--lab: it states what --prefix would' replay --lab malloclab --prefix mm_ mm.c "$traces"
refused '--lacks: `speed` is none of threads' replay --lacks speed mm.c "$traces"
echo 'void *mm_malloc(unsigned long n) { (void)n; return 0; }' >half.c
refused '--lab: .*half.c does not define mm_free; it defines mm_malloc *$' replay --lab malloclab half.c "$traces"

if [ -n "$foreign" ]; then
    ends 0 replay --lab malloclab --rounds 20 mm.c "$traces"
    ends 0 replay --lab malloclab --rounds 0 --fail-os all --fail-max 3 mm.c "$traces"
    ends 0 conform --lab malloclab mm.c
    ends 0 growth --lab malloclab --quick --workload cycles mm.c
    refused '--deal: only one thread may call' replay --lab malloclab --deal 2 mm.c "$traces"
    ends 4 torture --lab malloclab --scenario handoff mm.c
    printed 'not applicable: needs threads'
    ends 4 growth --lab malloclab --quick --workload fill_lifo mm.c
    printed 'not applicable: needs cost'

    # Of a subject that lacks nothing the same is asked and found.
    ends 1 replay --rounds 0 --prefix mm_ --init mm_init mm.c "$traces" \
        --cflags '-Imallet-report/built/malloclab mallet-report/built/malloclab/memlib.c'
    printed 'check     alignment'

    # Its functions may have the C library's names, which the driver's macro replaces; what it lacks
    # besides is the user's to say; and where its first start fails, the next one finds no break moved.
    { printf '#ifdef DRIVER\n#define malloc mm_malloc\n#define free mm_free\n#define realloc mm_realloc\n#endif\n'
      sed 's/mm_malloc/malloc/g; s/mm_free/free/g; s/mm_realloc/realloc/g; s/^#include .*//' mm.c
    } >names.c
    { sed -n '/^#include/p' mm.c; cat names.c; } >handout.c
    ends 0 replay --lab malloclab --lacks process --rounds 0 handout.c "$traces/sizes-small.trace"
    holds 'the union of what it lacks' grep -q 'LACKS\|lacks\[\] = "threads alignment errno cost process"' mallet-report/built/handout.names.c
    breaks twice.c 's/int mm_init(void)/static int tries; int mm_init(void) { if (tries++ == 0) { mem_sbrk(4); return -1; } return start_heap(); } static int start_heap(void)/; s/^#include "mm.h"/&\nstatic int start_heap(void);/'
    printf '#0 = malloc 8\n#0 = realloc #0 100\n#1 = malloc 8\n#2 = malloc 500\n' >few.trace
    run replay --lab malloclab --rounds 0 twice.c few.trace
    holds 'the second start has a break that is aligned' sh -c '! grep -q "check     alignment" "$1"' - "$work/out"

    # Its first block, and so half of all, lies 8 bytes past a multiple of 16.
    breaks shifted.c 's/first = start + 2 \* TAG/first = start + 4 * TAG/; s/mem_sbrk(4 \* TAG)/mem_sbrk(6 * TAG)/'
    ends 0 replay --lab malloclab --rounds 0 shifted.c "$traces"
    ends 0 conform --lab malloclab shifted.c

    # Nothing but blocks is to be freed.
    printf 'free NULL\n#0 = malloc 8\nfree #0\n' >null.trace
    breaks null.c '/^void mm_free/,/^}/s/if (block == NULL)/if (block == NULL) __builtin_trap();\n    if (0)/'
    ends 0 replay --lab malloclab --rounds 0 null.c null.trace

    breaks start.c 's/first = start + 2 \* TAG/first = start + 3 * TAG/; s/mem_sbrk(4 \* TAG)/mem_sbrk(5 * TAG)/'
    ends 1 replay --lab malloclab --rounds 0 start.c "$traces/sizes-small.trace"
    printed 'check     alignment'
    breaks size.c 's/wanted + 2 \* TAG + 7/wanted + TAG + 7/'
    ends 1 replay --lab malloclab --rounds 0 size.c "$traces"
    breaks grow.c 's/    if (block == (char \*)-1)/    if (block == NULL)/'
    ends 1 replay --lab malloclab --rounds 0 grow.c "$traces"
    breaks join.c 's/    if (!is_used(next_of(block)))/    if (size_of(next_of(block)) > 0)/'
    ends 1 replay --lab malloclab --rounds 0 join.c "$traces"
    breaks copy.c 's/kept < wanted ? kept : wanted/kept < wanted ? kept : wanted - 1/'
    ends 1 replay --lab malloclab --rounds 0 copy.c "$traces/alignment-then-realloc.trace"
    printed 'check     content'
fi

finish
