/* SPDX-License-Identifier: MIT */
/*
 * Behaviour as feedback for an engine that cannot see inside the subject: where a block came from and what its neighbours are, each with
 * its size class. Pairs of events cost more than they bring, so single events are counted.
 */
#include "harness/run_internal.h"

enum { GAP_CLASSES = 4, SIZE_CLASSES = 16, FREED_BASE = 1024 };

static unsigned size_class(size_t size)
{
    unsigned bits = size == 0 ? 0 : (unsigned)(64 - __builtin_clzl(size));
    return bits < 4 ? 0 : bits - 3 < SIZE_CLASSES ? bits - 3 : SIZE_CLASSES - 1;
}

static unsigned gap_class(uintptr_t gap)
{
    return gap <= 32 ? 0 : gap <= 1024 ? 1 : gap <= 65536 ? 2 : 3;
}

/* Distances to the live neighbours below and above, each as a class; `far` if there is none. */
static unsigned neighbour_class(const struct run *run, const struct block *block)
{
    const struct shadow *shadow = &run->shadow;
    uintptr_t start = (uintptr_t)block->start, end = start + block->capacity;
    size_t i = shadow_find(shadow, start);
    unsigned below = i > 0 ? gap_class(start - shadow->intervals[i - 1].end) : GAP_CLASSES - 1;
    unsigned above = i < shadow->live && shadow->intervals[i].start >= end ? gap_class(shadow->intervals[i].start - end) : GAP_CLASSES - 1;
    return below * GAP_CLASSES + above;
}

/* 0: exactly the block freed last; 1: one of those freed lately; 2: between them in address; 3: elsewhere. */
static unsigned origin_class(const struct run *run, uintptr_t start)
{
    uintptr_t low = UINTPTR_MAX, high = 0;
    for (unsigned i = 0; i < FREED_RING; i++) {
        uintptr_t freed = run->freed[i];
        if (freed == start)
            return i == (run->freed_next + FREED_RING - 1) % FREED_RING ? 0 : 1;
        if (freed != 0 && freed < low)
            low = freed;
        if (freed > high)
            high = freed;
    }
    return start > low && start < high ? 2 : 3;
}

static void count_feature(const struct run *run, unsigned feature)
{
    uint8_t *counter = &run->report->features[feature % RUN_FEATURES];
    if (*counter < UINT8_MAX)
        (*counter)++;
}

void feature_new_block(struct run *run, const struct block *block)
{
    unsigned origin = origin_class(run, (uintptr_t)block->start);
    count_feature(run, (origin * GAP_CLASSES * GAP_CLASSES + neighbour_class(run, block)) * SIZE_CLASSES + size_class(block->size));
}

void feature_freed_block(struct run *run, const struct block *block)
{
    count_feature(run, FREED_BASE + neighbour_class(run, block) * SIZE_CLASSES + size_class(block->size));
}
