/* SPDX-License-Identifier: MIT */
/*
 * The shadow: every live block by slot, and their intervals by address. Blocks are what the harness believes of the subject's heap; the
 * intervals find an overlap, and a block's neighbours, by binary search.
 *
 *   slots      [0]    [1]    [2]   …            struct block, by slot
 *   intervals  ─[#2)──[#0)────────[#1)─→        start < end ≤ next start
 */
#ifndef HARNESS_SHADOW_H
#define HARNESS_SHADOW_H

#include "harness/trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block {
    uint8_t *start;   /* NULL: the slot is dead, or its call failed */
    size_t size;      /* bytes asked for */
    size_t capacity;  /* bytes usable */
    size_t alignment; /* asked for; 0: none */
    size_t fill_max;  /* as it was when the block was filled */
    uint64_t seed;    /* of its pattern */
    uint32_t born;    /* op that made it */
    uint8_t kind;     /* enum op_kind of that op */
};

struct interval {
    uintptr_t start, end;
    uint32_t slot;
};

struct shadow {
    size_t live;         /* blocks; also length of intervals */
    size_t live_size;    /* sum of sizes */
    size_t filled;       /* sum of capacities of fully filled blocks */
    uint32_t slots_used; /* slots at or above were never used since the last clear */
    struct block blocks[TRACE_SLOTS];
    struct interval intervals[TRACE_SLOTS];
};

void shadow_clear(struct shadow *shadow);

/* Index of the first interval that ends after `address`; live if there is none. */
size_t shadow_find(const struct shadow *shadow, uintptr_t address);
/* The slot of a live block that intersects [start, start + length), or TRACE_SLOTS. */
uint32_t shadow_find_overlap(const struct shadow *shadow, const void *start, size_t length);
/* Enters or removes blocks[slot], whose start and capacity are set and intersect no other. A block of capacity 0 covers one byte. */
void shadow_insert(struct shadow *shadow, uint32_t slot);
void shadow_remove(struct shadow *shadow, uint32_t slot);

#endif
