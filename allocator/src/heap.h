/* SPDX-License-Identifier: MIT */
/*
 * A heap: one of each lower layer, a lock, and the counts. It routes a request by its size and
 * tells what a pointer stands for.
 *
 *     up to ANVIL_SMALL_MAX            a block in a slab
 *     up to the mmap threshold         an extent
 *     above, or aligned to far more    an extent with a mapping of its own (sources that have any)
 *
 * The caller of the functions below holds the heap's lock. They neither set errno nor panic on
 * misuse: malloc.c does both, after it has released the lock.
 */
#ifndef ANVIL_HEAP_H
#define ANVIL_HEAP_H

#include "anvil.h"
#include "extent.h"
#include "mapping.h"
#include "meta.h"
#include "pages.h"
#include "panic.h"
#include "slab.h"
#include "sync.h"

enum { HEAP_GONE_COUNT = 16 };

/* Where a freed mapping was, so that its double free is recognised. */
struct heap_gone {
    const char *start;
    size_t size;
};

struct anvil_heap {
    struct sync_lock lock;
    unsigned id; /* owner number in the pagemap */
    struct anvil_options options;
    struct pages pages;
    struct meta meta;
    struct extents extents;
    struct slabs slabs;
    size_t live_blocks, live_size, live_capacity; /* bytes */
    struct heap_gone gone[HEAP_GONE_COUNT];
    unsigned gone_next;
    size_t own_length;        /* bytes of the mapping that this struct lies in; 0: it is static */
    struct pages fresh_pages; /* as they were when the heap was made */
};

/* A live block, as heap_find found it. */
struct heap_block {
    struct extent *extent;
    char *start;
    size_t size, capacity;
    unsigned index;          /* in its slab */
    unsigned alignment_code; /* 0: asked for without alignment; else 1 + log2 */
};

/* A new block. Only its first `dirty` bytes may be other than zero. */
struct heap_fresh {
    char *start;
    size_t dirty;
};

enum heap_resized { HEAP_RESIZED, HEAP_MUST_MOVE };

/* Makes an empty heap. The struct is zeroed or was destroyed; `pages` is initialised. The lock is
 * left as it is. */
void heap_init(struct anvil_heap *heap, unsigned id, const struct anvil_options *options,
               const struct pages *pages, size_t own_length);
/* Drops every block and releases all memory but the heap's own struct. */
void heap_destroy(struct anvil_heap *heap);

/* alignment: a power of two; alignment_code: what is remembered of it. Returns 0 or ENOMEM. */
int heap_alloc(struct anvil_heap *heap, size_t size, size_t alignment, unsigned alignment_code,
               struct heap_fresh *ret_fresh);
void heap_free(struct anvil_heap *heap, const struct heap_block *block);
/* Finds the live block of this heap that starts at the pointer. Returns false if there is none;
 * heap_diagnose tells why. */
bool heap_find(struct anvil_heap *heap, const void *pointer, struct heap_block *ret_block);
/* The capacity of the live block that starts at the pointer, or 0 if there is none. */
size_t heap_capacity_of(struct anvil_heap *heap, const void *pointer);
struct fault heap_diagnose(const struct anvil_heap *heap, const void *pointer);
/* Makes the block `size` bytes long where it is, or, in a mapping of its own, at *ret_start.
 * must_stay: takes any place that is large enough, so that shrinking never fails. */
enum heap_resized heap_resize(struct anvil_heap *heap, const struct heap_block *block, size_t size,
                              bool must_stay, char **ret_start);
/* Releases or purges all unused pages but `keep` bytes. Returns whether any memory left the
 * process. */
bool heap_trim(struct anvil_heap *heap, size_t keep);

#endif
