/* SPDX-License-Identifier: MIT */
/*
 * A small, correct allocator with boundary tags, made to be broken on purpose. One lock for all
 * calls, glibc's choices.
 *
 *   malloc.c   the malloc family: the lock, requests, errno, zeroing, copying
 *   heap.c     chunks: bins, split, coalesce, the top, the walker
 *   mapping.c  large blocks
 *   usable.c   malloc_usable_size
 *   quick.c    a list of freed chunks, which only some mutants have
 *   process.c  threads and forks, which the correct one need not know of
 *
 * Each mutant of the registry is this source with -DMUTANT_ID=MUTANT_<name>, and one place that
 * asks HAS(<name>).
 *
 *   base                                           top            touched      committed end
 *    │ chunk │ chunk (free, in a bin) │ chunk │ …  │ was used once │ zero yet … │ no access … │
 *                                                     one reservation
 *
 * No free chunk lies next to another or below top: it would have been merged. A large block is a
 * mapping of its own.
 */
#ifndef MUTANTS_HEAP_H
#define MUTANTS_HEAP_H

#include "mutants/registry.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HAS(name) (MUTANT_ID == MUTANT_##name)

enum {
    HEADER = 16,
    CHUNK_MIN = 32,
    PAGE = 4096,
    CHUNK_LIVE = 1,
    CHUNK_MAPPED = 2,
    CHUNK_REMOTE = 4 /* not the first thread's */,
    CHUNK_FLAGS = 7
};
#define MAPPING_MIN ((size_t)128 << 10) /* bytes; requests from here up are mappings of their own */

struct chunk {
    size_t tag; /* bytes, header included, and flags */
    /* bytes of the chunk below, 0: none; of a mapping: bytes from its start to this header */
    uint32_t before;
    uint32_t asked;                /* bytes asked for; not for mappings */
    struct chunk *next, *previous; /* in a bin, while free: here begins the block */
};
_Static_assert(offsetof(struct chunk, next) == HEADER && sizeof(struct chunk) == CHUNK_MIN,
               "a free chunk fits the smallest one");

static inline size_t chunk_size(const struct chunk *chunk)
{
    return chunk->tag & ~(size_t)CHUNK_FLAGS;
}

static inline bool chunk_is_mapped(const struct chunk *chunk)
{
    return (chunk->tag & CHUNK_MAPPED) != 0;
}

static inline struct chunk *chunk_at(const void *start, size_t offset)
{
    return (struct chunk *)((uintptr_t)start + offset);
}

static inline void *chunk_block(const struct chunk *chunk)
{
    return (void *)((uintptr_t)chunk + HEADER);
}

static inline struct chunk *chunk_of(const void *block)
{
    return (struct chunk *)((uintptr_t)block - HEADER);
}

static inline uintptr_t round_up(uintptr_t n, size_t multiple)
{
    return (n + multiple - 1) & ~(uintptr_t)(multiple - 1);
}

/* One lock for all calls, recursive. WITH_LOCK: to the end of the C block. */
int heap_lock(void);
void heap_unlock(const int *locked);
#define WITH_LOCK() int locked __attribute__((cleanup(heap_unlock), unused)) = heap_lock()

/* `need` is a chunk size, header included. All return NULL or false for want of memory; none
 * touches errno, but for the system's own. */
void heap_set_up(void);
void heap_set_up_for(size_t size); /* of a malloc */
struct chunk *heap_take(size_t need);
struct chunk *heap_take_aligned(size_t need, size_t alignment);
void heap_give(struct chunk *chunk);
/* Resizes in place, or downwards into a free neighbour: the chunk is then another. NULL: it must
 * move. Keeps `asked` bytes. */
struct chunk *heap_resize(struct chunk *chunk, size_t need);
bool heap_trim(size_t keep);
/* The system would not let it grow, once. */
bool heap_was_refused(void);
/* Start of the memory that was never written, or was given back. */
uintptr_t heap_clean_from(void);
/* The chunk below, looked for from the first one on: for the mutants that do so. */
struct chunk *heap_walk_below(const struct chunk *chunk);
/* The free chunk above, or NULL. */
struct chunk *heap_free_above(const struct chunk *chunk);

/* NULL, false: the chunk is not of that size, or there is none. */
struct chunk *quick_take(size_t need);
bool quick_give(struct chunk *chunk);
void quick_reset(void);

/* What the mutants with threads and forks need to know: set up once, told of each block. */
void process_set_up(void);
void process_made(struct chunk *chunk);
bool process_keeps(struct chunk *chunk); /* free must leave it alone */
void process_begins(void);               /* a call that allocates */
int *process_errno(void);
/* Of the heap, for a mutant. */
void heap_drop(void);

struct chunk *mapping_take(size_t size, size_t alignment);
void mapping_give(struct chunk *chunk);
struct chunk *mapping_resize(struct chunk *chunk, size_t size);

#endif
