/* SPDX-License-Identifier: MIT */
/*
 * The shadow: every live block by slot, and where each lies by address. Blocks are what the harness
 * believes of the subject's heap; the order by address finds an overlap, and a block's neighbours.
 *
 *   blocks     [0]    [1]    [2]   …             struct block, by slot
 *   live       {#0, #2, …}                       the slots whose block is there
 *   buckets    | 100:#2  300:#0 | 900:#1 … |  starts and slots by address, in pieces of a few dozen
 *
 * A bucket is split when it is full, and joined to a neighbour once both together are at most half
 * full; so an insertion moves a few hundred bytes, however many blocks are live, and a search is
 * one in the row of buckets and one in a bucket.
 *
 * A live block must not be written to but through the functions below, which keep the sums.
 * Zero-initialised: nothing live.
 */
#ifndef HARNESS_SHADOW_H
#define HARNESS_SHADOW_H

#include "harness/trace/trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct block {
    uint8_t *start;   /* NULL: the slot is dead, or its call failed */
    size_t size;      /* bytes asked for */
    size_t capacity;  /* bytes usable */
    size_t alignment; /* asked for; 0: none */
    size_t claim;     /* bytes it may take of the subject's room, at least size + alignment */
    size_t fill_max;  /* as it was when the block was filled */
    uint64_t seed;    /* of its pattern */
    uint32_t born;    /* op that made it */
    uint8_t kind;     /* enum op_kind of that op */
};

enum {
    BUCKET_MAX = 32, /* blocks of a bucket */
    /* two neighbours together are more than half of one bucket */
    BUCKETS_MAX = 4 * (TRACE_SLOTS / BUCKET_MAX) + 2,
};

struct bucket {
    uint32_t count;
    /* rising: a block's start above its slot, 48 and 16 bits; UINT64_MAX from count on */
    uint64_t keys[BUCKET_MAX];
};

/* Between two blocks in the order by address. */
struct place {
    uint32_t bucket; /* in the row */
    uint32_t index;  /* of the first block in it that starts above the address; may be its count */
};

struct shadow {
    size_t live_size;     /* sum of sizes */
    size_t live_claim;    /* sum of claims */
    size_t filled;        /* sum of capacities of fully filled blocks */
    struct slot_set live; /* slots whose block is not NULL */
    uint32_t buckets;     /* in the row */
    uint32_t spares;
    uint32_t pool_used; /* buckets of the pool at or above were never used since the last clear */
    uintptr_t last_address;
    /* where that address is: the checks around one call ask for the same; 0: nothing remembered */
    struct place last_place;
    struct block blocks[TRACE_SLOTS];
    uint16_t row[BUCKETS_MAX]; /* buckets by address, as indices in the pool */
    /* no key in that bucket of the row is below, none in those before is at or above */
    uint64_t firsts[BUCKETS_MAX];
    uint16_t spare[BUCKETS_MAX];     /* indices of emptied buckets */
    struct bucket pool[BUCKETS_MAX]; /* TRACE_SLOTS is far below what they hold */
};

/* Costs as much as blocks are live. */
void shadow_clear(struct shadow *shadow);

/* The slot of a live block that intersects [start, start + length), or TRACE_SLOTS. */
uint32_t shadow_find_overlap(struct shadow *shadow, const void *start, size_t length);
/* Bytes between a range and the live blocks below and above; SIZE_MAX where there is none. A block
 * that starts at `start` does not count. */
void shadow_find_gaps(struct shadow *shadow, const void *start, size_t length, size_t *ret_below,
                      size_t *ret_above);
/* Enters or removes blocks[slot], whose start and capacity are set and intersect no other. A block
 * of capacity 0 covers one byte. */
void shadow_insert(struct shadow *shadow, uint32_t slot);
void shadow_remove(struct shadow *shadow, uint32_t slot);

#endif
