/* SPDX-License-Identifier: MIT */
/*
 * Intervals are one sorted array: with the tens of live blocks of a fuzzed trace, binary search and memmove beat any tree, and with the
 * thousands of a recorded program they still cost less than the call under test.
 */
#include "harness/shadow.h"

#include <string.h>

static size_t interval_length(size_t capacity)
{
    return capacity > 0 ? capacity : 1;
}

void shadow_clear(struct shadow *shadow)
{
    memset(shadow->blocks, 0, shadow->slots_used * sizeof shadow->blocks[0]);
    shadow->live = shadow->live_size = shadow->filled = 0;
    shadow->slots_used = 0;
}

size_t shadow_find(const struct shadow *shadow, uintptr_t address)
{
    size_t low = 0, high = shadow->live;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (shadow->intervals[middle].end <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint32_t shadow_find_overlap(const struct shadow *shadow, const void *start, size_t length)
{
    size_t i = shadow_find(shadow, (uintptr_t)start);
    if (i < shadow->live && shadow->intervals[i].start < (uintptr_t)start + interval_length(length))
        return shadow->intervals[i].slot;
    return TRACE_SLOTS;
}

void shadow_insert(struct shadow *shadow, uint32_t slot)
{
    const struct block *block = &shadow->blocks[slot];
    uintptr_t start = (uintptr_t)block->start;
    size_t i = shadow_find(shadow, start);
    memmove(&shadow->intervals[i + 1], &shadow->intervals[i], (shadow->live - i) * sizeof shadow->intervals[0]);
    shadow->intervals[i] = (struct interval){start, start + interval_length(block->capacity), slot};
    shadow->live++;
    shadow->live_size += block->size;
    if (block->capacity <= block->fill_max)
        shadow->filled += block->capacity;
    if (slot >= shadow->slots_used)
        shadow->slots_used = slot + 1;
}

void shadow_remove(struct shadow *shadow, uint32_t slot)
{
    struct block *block = &shadow->blocks[slot];
    size_t i = shadow_find(shadow, (uintptr_t)block->start);
    shadow->live--;
    memmove(&shadow->intervals[i], &shadow->intervals[i + 1], (shadow->live - i) * sizeof shadow->intervals[0]);
    shadow->live_size -= block->size;
    if (block->capacity <= block->fill_max)
        shadow->filled -= block->capacity;
    *block = (struct block){0};
}
