#!/bin/sh
# SPDX-License-Identifier: MIT
# What people see of `mallet growth`: exit statuses, the one sentence for each bad input, JSON, the
# programs of findings.
#
# usage: growth.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"

ends 0 growth --help
printed 'Usage: '
ends 0 growth --list
printed '^footprint  comb '
printed '^scaling    fragments '
ends 0 growth --list --json
printed '"workload": "comb"'
usage 'SUBJECT is missing' growth
usage 'one SUBJECT only' growth anvil glibc
refused '--limit: `soon`' growth --limit soon anvil
refused '--time: `soon`' growth --time soon anvil
refused 'unknown subject `nosuch`' growth nosuch
refused 'could not bind ./nosuch.so' growth ./nosuch.so
refused '--workload: there is no workload `nosuch`' growth --workload nosuch anvil
refused '--band: `17`' growth --band 17 anvil
refused '--band: `x`' growth --band x anvil
refused '--bound: `x`' growth --bound x anvil
refused '--bound: `0.5`' growth --bound 0.5 anvil
refused '--output: cannot write into the folder /proc/no' growth --output /proc/no/such anvil

ends 0 growth --quick --workload thread_churn anvil
printed '^ok  *thread_churn  *100 rounds, live '
printed '^1 clean, 0 findings'
ends 0 growth --quick --json --workload zeroed --band 256 anvil
printed '"result": "clean"'

if [ -n "$foreign" ]; then
    every=
    for workload in aligned aligned_holes aligned_mixed calloc_large grow_in_steps realloc_append realloc_shrink usable zeroed comb fill_fifo; do
        every="$every --workload $workload"
    done
    ends 0 growth --quick --band 1024 $every "$mutants/../sound/libfamily_none.so" # it has malloc and free alone: no call goes to NULL
    printed '^skipped  zeroed/1024  *not applicable: needs calloc'
    printed ' 0 findings, 0 expected, 0 notes, 9 skipped'
    ends 4 growth --quick --workload zeroed --band 1024 "$mutants/../sound/libfamily_none.so" # nothing was tested
    thrash=$mutants/libheap_trim_thrash.so
    ends 0 growth --quick --workload boundary --band 256 "$mutants/libheap_none.so"
    ends 1 growth --quick --workload boundary --band 256 --output "$work/programs" "$thrash"
    printed '^FINDING  boundary/256 '
    printed 'scaling: with [1-9][0-9]* blocks of 256 bytes live, 1024 times malloc and free of one more made 1024 OS calls'
    program=$work/programs/libheap_trim_thrash.so-boundary-256
    printed "program: $program.c"
    holds 'the program compiles' cc -O1 -Wall -Werror -fno-builtin -pthread -o "$program" "$program.c"
    holds 'it does not show it on the libc' "$program"
    holds 'it shows it on the allocator' sh -c 'LD_PRELOAD=$1 "$2"; [ $? -eq 1 ]' - "$thrash" "$program"
    ends 0 growth --quick --json --workload boundary --band 256 --write-baseline "$work/baseline" --findings "$work/lines" "$thrash"
    printed '"check": "scaling"'
    printed '"program": null'
    printed '"findings": 1'
    holds 'the baseline has the finding' grep -q '^libheap_trim_thrash.so scaling growth/boundary/256  # with [1-9][0-9]* blocks' "$work/baseline"
    holds 'the finding is a line' grep -q '"site":"growth/boundary/256"' "$work/lines"
    ends 0 growth --quick --workload boundary --band 256 --baseline "$work/baseline" "$thrash"
    printed '^expected *boundary/256 '
    printed '^0 clean, 0 findings, 1 expected'
    every=$mutants/libheap_mmap_every_small.so # a cost that an allocator may choose to have
    ends 0 growth --quick --workload fill_lifo --band 256 "$every"
    printed '^note  *fill_lifo/256 '
    keeps=$mutants/libheap_shrink_keeps_mapping.so
    ends 1 growth --quick --workload realloc_room --bound 3 --output "$work/programs" "$keeps"
    program=$work/programs/libheap_shrink_keeps_mapping.so-realloc_room
    holds 'the program compiles' cc -w -O1 -fno-builtin -pthread "$program.c" -o "$program"
    holds 'it does not show it on the libc' "$program"
    holds 'it shows it on the allocator' sh -c "LD_PRELOAD=$keeps $program; [ \$? -eq 1 ]"
    # several threads that a full pool refuses at once: whose sentence it is must not matter
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
        ends 4 growth --strict --quick --workload thread_churn "$mutants/../sound/libpage_pool.so"
    done
    cd "$work" || exit 1
    cat >leak.c <<'END'
#include <sys/mman.h>
static char *at, *end;
void *malloc(unsigned long size)
{
    unsigned long wanted = (size + 31) & -16ul;
    if (wanted > (unsigned long)(end - at))
        end = (at = mmap(0, 1 << 24, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) + (1 << 24);
    at += wanted;
    return at - wanted;
}
void free(void *block) { (void)block; }
END
    ends 1 growth --quick --workload lifetimes --output "$work/programs" leak.c
    holds 'the program compiles' cc -w -fno-builtin -pthread "$work/programs/leak.so-lifetimes.c" -o "$work/lifetimes"
    # what fills a cache or a queue once is no leak to the program either
    holds 'it does not show it on a sound allocator' sh -c "ulimit -t 20; LD_PRELOAD=$mutants/../sound/libsize_queues.so $work/lifetimes"
fi

finish
