/* SPDX-License-Identifier: MIT */
/*
 * The chunks of base.c: regions that the system gives, cut into chunks that lie side by side.
 *
 *   region: │ head │ chunk │ chunk │ … │ end │      chunk: │ size of the one before, size │ block … │
 *
 * A free chunk is merged with free neighbours and stands in a bin of its power of two. A search
 * looks at a few of its own bin, then takes the first of a higher one. Sizes are bytes of the whole
 * chunk. The caller holds the lock.
 */
#ifndef MUTANTS_GROWTH_CHUNKS_H
#define MUTANTS_GROWTH_CHUNKS_H

#include "mutants/registry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HAS(name) (MUTANT_ID == MUTANT_##name)

enum { HEADER = 32, CHUNK_MIN = 64, PAGE = 4096 };
/* A walk through a region must not end for want of blocks in it. */
enum {
    REGION = HAS(trim_thrash)                              ? 256 << 10
             : HAS(free_walks_region) || HAS(usable_walks) ? 32 << 20
                                                           : 4 << 20
};
#define USED   ((size_t)1)
#define MAPPED ((size_t)2)
#define FLAGS  (USED | MAPPED)

/* 32 bytes, and the links of a free one behind. */
struct chunk {
    /* size of the chunk before; 0: the first. Of a mapping: bytes before the chunk */
    size_t before;
    size_t tag; /* size, flags */
    struct region *region;
    uintptr_t owner; /* thread */
    struct chunk *next, *previous;
};

struct region {
    size_t size;
    char unused[HEADER - sizeof(size_t)];
};

static inline size_t size_of(const struct chunk *chunk)
{
    return chunk->tag & ~FLAGS;
}

static inline struct chunk *at(const void *start, size_t offset)
{
    return (struct chunk *)((uintptr_t)start + offset);
}

static inline size_t round_up(size_t size, size_t alignment)
{
    return (size + alignment - 1) & ~(alignment - 1);
}

static inline struct chunk *next_of(const struct chunk *chunk)
{
    return at(chunk, size_of(chunk));
}

static inline void set_size(struct chunk *chunk, size_t size, size_t flags)
{
    chunk->tag = size | flags;
    next_of(chunk)->before = size;
}

#pragma GCC visibility push(hidden) /* the library offers the family alone */
void *map(size_t size);
struct chunk *take_chunk(size_t size);
void release_chunk(struct chunk *chunk);
/* What the chunk has beyond `size` becomes a free one. */
void split(struct chunk *chunk, size_t size);
/* Makes a used chunk of at least `size` out of this one and a free one behind it; false if they are
 * too small. */
bool resize_in_place(struct chunk *chunk, size_t size);
#pragma GCC visibility pop

#endif
