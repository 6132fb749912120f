/* SPDX-License-Identifier: MIT */
/*
 * What the sound subjects share: the malloc family over three functions, and four ways to manage
 * memory. A sound subject is unusual, but nothing that C or POSIX demands is missing.
 *
 *   family.c   the malloc family: sizes, errno, copying, one lock, forks
 *   <name>.c   an allocator: sound_take, sound_give, sound_resize, sound_capacity, sound_rules
 *   slabs.c    blocks of one size in spans of 128 KiB, larger blocks in mappings of their own
 *   chunks.c   a heap with boundary tags in one range of addresses
 *   pages.c    mappings
 */
#ifndef MUTANTS_SOUND_H
#define MUTANTS_SOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(hidden)

enum { PAGE = 4096, ALIGNMENT = 16 };
#define CLEAN_NOWHERE UINTPTR_MAX

static inline uintptr_t round_up(uintptr_t n, uintptr_t multiple)
{
    return (n + multiple - 1) & ~(multiple - 1);
}

/* ---- what each allocator defines; called with the lock held ---- */

/* NULL: no memory. `size` is 1 to PTRDIFF_MAX, `alignment` a power of two from 8 on. Memory from
 * *ret_clean_from on is known to be zero: CLEAN_NOWHERE is set before the call. */
void *sound_take(size_t size, size_t alignment, uintptr_t *ret_clean_from);
void sound_give(void *block);
/* Whether the block has been made to hold `size` bytes in its place. */
bool sound_resize(void *block, size_t size);
size_t sound_capacity(const void *block);

extern const struct sound_rules {
    bool zero_is_null;     /* malloc(0) */
    bool realloc_frees;    /* realloc(p, 0) frees and returns NULL; else it is realloc(p, 1) */
    bool realloc_moves;    /* always */
    bool realloc_keeps;    /* a block that shrinks keeps its place and its capacity */
    bool is_small_aligned; /* blocks below 16 bytes are aligned to 8 bytes only */
    size_t alignment_max;  /* aligned_alloc and memalign refuse larger ones; 0: they refuse none */
    bool memalign_asserts; /* that its alignment is a power of two */
    void (*enter)(void);   /* NULL, or called first in each call, without the lock */
    /* NULL: one lock for all calls; else the allocator has its own ones, for a fork */
    void (*lock_all)(void);
    void (*unlock_all)(void);
    void (*reset_all)(void); /* in the child */
} sound_rules;

/* ---- pages.c: safe for threads; errno may change ---- */

/* Zeroed; NULL: no memory. Both are multiples of PAGE, the alignment a power of two. */
void *pages_map(size_t bytes, size_t alignment);
/* What the system does not take back is offered to it again later. The first page is writable. */
void pages_unmap(void *start, size_t bytes);
void pages_lock(void);
void pages_unlock(void);
void pages_reset(void);

/* ---- slabs.c: the caller locks ---- */

enum { SLAB_CLASSES = 44 };

/* All zero: an empty one. */
struct slabs {
    struct span *partial[SLAB_CLASSES]; /* with a free slot */
    struct span *empty;
    size_t empty_count, empty_max; /* 0: 8 */
    uint64_t random;               /* not 0: slots are chosen at random */
};

void *slabs_take(struct slabs *slabs, size_t size, size_t alignment, uintptr_t *ret_clean_from);
void slabs_give(void *block);
bool slabs_resize(void *block, size_t size);
size_t slabs_capacity(const void *block);
/* The number of its size of slots; SLAB_CLASSES: a mapping of its own. */
size_t slabs_class(const void *block);
/* The one that the block is from. */
struct slabs *slabs_of(const void *block);
/* Keeps `count` empty spans; false: no memory. */
bool slabs_fill(struct slabs *slabs, size_t count);
/* Unmaps the empty spans. */
void slabs_drain(struct slabs *slabs);

/* ---- chunks.c: the caller locks ---- */

enum { CHUNK_BINS = 192 };

struct chunks {
    uintptr_t base, end; /* multiples of PAGE, set by the caller; the memory is zero */
    /* NULL: all memory is accessible; else makes [from, to) so, or no longer so (then it is zero);
     * false: the system refuses */
    bool (*commit)(uintptr_t from, uintptr_t to);
    bool (*decommit)(uintptr_t from, uintptr_t to);
    size_t looks; /* chunks of a bin to look at; 0: all */
    /* the rest is all zero before the first call */
    uintptr_t top, touched, committed;
    size_t last; /* bytes of the chunk just below top */
    struct chunk *bins[CHUNK_BINS];
};

void *chunks_take(struct chunks *chunks, size_t size, size_t alignment, uintptr_t *ret_clean_from);
void chunks_give(struct chunks *chunks, void *block);
bool chunks_resize(struct chunks *chunks, void *block, size_t size);
size_t chunks_capacity(const void *block);

#pragma GCC visibility pop

#endif
