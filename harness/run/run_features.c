/* SPDX-License-Identifier: MIT */
/*
 * Behaviour as feedback for an engine that cannot see inside the subject: where a block came from
 * and what its neighbours are, each with its size class. Pairs of events cost more than they bring,
 * so single events are counted.
 */
#include "harness/run/run_internal.h"

#include <string.h>

enum {
    ORIGINS = 4,
    GAP_CLASSES = 4,
    SIZE_CLASSES = 16,
    FREED_BASE = ORIGINS * GAP_CLASSES * GAP_CLASSES * SIZE_CLASSES
};
_Static_assert(FREED_BASE + GAP_CLASSES * GAP_CLASSES * SIZE_CLASSES == RUN_FEATURES,
               "every class has its counter");

static unsigned size_class(size_t size)
{
    unsigned bits = size == 0 ? 0 : (unsigned)(64 - __builtin_clzl(size));
    return bits < 4 ? 0 : bits - 3 < SIZE_CLASSES ? bits - 3 : SIZE_CLASSES - 1;
}

static unsigned gap_class(size_t gap)
{
    return (unsigned)(gap > 32) + (unsigned)(gap > 1024) + (unsigned)(gap > 65536);
}

/* Distances to the live neighbours below and above, each as a class; `far` if there is none. */
static unsigned neighbour_class(struct run *run, const struct block *block)
{
    size_t below, above;
    shadow_find_gaps(&run->shadow, block->start, block->capacity, &below, &above);
    return gap_class(below) * GAP_CLASSES + gap_class(above);
}

/* 0: exactly the block freed last; 1: one of those freed lately; 2: between all freed so far in
 * address; 3: elsewhere. */
static unsigned origin_class(const struct run *run, uintptr_t start)
{
    bool is_among = false;
    if (run->freed[(run->freed_next - 1) % FREED_RING] == start)
        return 0;
    for (unsigned i = 0; i < FREED_RING; i++)
        is_among |= run->freed[i] == start;
    return is_among ? 1 : start > run->freed_low && start < run->freed_high ? 2 : 3;
}

static void count_feature(const struct run *run, unsigned feature)
{
    uint8_t *counter = &run->features[feature];
    *counter = (uint8_t)(*counter + (*counter < UINT8_MAX));
}

void feature_start(struct run *run)
{
    run->features = run->report->features;
    memset(run->freed, 0, sizeof run->freed);
    run->freed_next = 0;
    run->freed_low = UINTPTR_MAX;
    run->freed_high = 0;
}

void feature_new_block(struct run *run, const struct block *block)
{
    unsigned origin = origin_class(run, (uintptr_t)block->start);
    count_feature(run, (origin * GAP_CLASSES * GAP_CLASSES + neighbour_class(run, block)) *
                               SIZE_CLASSES +
                           size_class(block->size));
}

void feature_freed_block(struct run *run, const struct block *block)
{
    uintptr_t start = (uintptr_t)block->start;
    run->freed[run->freed_next++ % FREED_RING] = start;
    run->freed_low = start < run->freed_low ? start : run->freed_low;
    run->freed_high = start > run->freed_high ? start : run->freed_high;
    count_feature(run, FREED_BASE + neighbour_class(run, block) * SIZE_CLASSES +
                           size_class(block->size));
}
