/* SPDX-License-Identifier: MIT */
/*
 * The descriptor of an extent (extent.h tells what extents are), for all layers that keep extents
 * in order: the tree, the set of free ones, and the extents of a heap.
 *
 * Only the first `dirty` bytes of an extent may be other than zero: memory behind them is as the
 * page source gave it. The first `clean` bytes of a free extent are zero again (purged), and stay
 * known as zero when a dirty neighbour is coalesced. calloc and purge rely on both.
 */
#ifndef ANVIL_EXTENT_DESCRIPTOR_H
#define ANVIL_EXTENT_DESCRIPTOR_H

#include "pagemap.h"
#include "sync.h"

/* What a block remembers of the request for it, but for the size; an alignment as 1 + log2. */
enum request_code {
    REQUEST_PLAIN = 0,
    REQUEST_ALIGNED_LAST = 64,
    REQUEST_NEW,       /* by C++'s new, where that is remembered */
    REQUEST_NEW_ARRAY, /* by new[] */
    REQUEST_LAST = REQUEST_NEW_ARRAY
};

enum extent_state {
    EXTENT_FREE,           /* in the set of free ones: see free_set.h */
    EXTENT_LARGE,          /* one block */
    EXTENT_CACHED,         /* a freed block that a thread keeps for itself: see cache.h */
    EXTENT_SLAB,           /* many small ones */
    EXTENT_MAPPING,        /* one block, with a mapping of its own; so are those that follow */
    EXTENT_CACHED_MAPPING, /* a freed one that a thread keeps for itself */
    EXTENT_KEPT,           /* a freed mapping that has not been unmapped: see mapping.h */
};

/* A free extent's place in the tree, and in the list of those that are worth a purge. */
struct extent_node {
    struct extent *left, *right;
    size_t pages_max; /* the largest extent of this subtree */
    uint32_t priority;
    struct extent *purge_previous, *purge_next;
};

/* A kept mapping's place in their list. */
struct extent_kept {
    struct extent *older, *newer;
};

/* A large block, and one that was freed into a thread's cache. */
struct extent_block {
    struct sync_pointer size; /* bytes asked for */
    struct extent *next;      /* EXTENT_CACHED: the one freed before */
};

/* What every slab's descriptor begins with (slab.h): the way from a page of it to its extent. */
struct extent_slab {
    struct extent *extent;
};

struct extent {
    char *start;
    struct sync_tag state; /* enum extent_state */
    uint8_t request_code;  /* of a large block: enum request_code */
    uint8_t run_class;     /* EXTENT_LARGE, EXTENT_CACHED: RUN_CLASS_NONE, or that of its pages */
    union {
        struct extent_node node;   /* EXTENT_FREE */
        struct extent_block block; /* EXTENT_LARGE, EXTENT_CACHED, EXTENT_MAPPING */
        struct extent_kept kept;   /* EXTENT_KEPT */
        struct {
            struct slab *slab; /* EXTENT_SLAB */
            size_t zero_from;  /* bytes: from here on memory was zero when the slab was made */
        };
    } as;
    size_t pages;
    size_t dirty; /* bytes from the start that may be other than zero */
    size_t clean; /* length of the known-zero part at the start of `dirty`; 0 unless EXTENT_FREE */
    struct extent *previous, *next;
};
_Static_assert(sizeof(struct extent) <= 128, "two cache lines, and a power of two for meta");

/* Relaxed: only their owner changes them, and others draw no conclusion about the block. */
static inline enum extent_state extent_state(const struct extent *extent)
{
    return (enum extent_state)sync_tag_read(&extent->state);
}

static inline void extent_set_state(struct extent *extent, enum extent_state state)
{
    sync_tag_write(&extent->state, (uint32_t)state);
}

/* Of a large block: the bytes asked for. */
static inline size_t extent_size(const struct extent *extent)
{
    return sync_word_read(&extent->as.block.size);
}

static inline void extent_set_size(struct extent *extent, size_t size)
{
    sync_word_write(&extent->as.block.size, size);
}

static inline size_t extent_length(const struct extent *extent)
{
    return extent->pages << PAGE_SHIFT;
}

static inline char *extent_end(const struct extent *extent)
{
    return extent->start + extent_length(extent);
}

/* Is it recorded for its cell, and not for its pages? Then no neighbour finds it. */
static inline bool extent_has_cell(const struct extent *extent)
{
    return extent_state(extent) >= EXTENT_MAPPING && extent->pages >= PAGEMAP_CELL_PAGES;
}

/* Cuts both prefixes to what lies in the first `length` bytes. */
static inline void extent_cut_dirt(struct extent *extent, size_t length)
{
    if (extent->clean >= length) /* nothing dirty is left */
        extent->clean = extent->dirty = 0;
    else if (extent->dirty > length)
        extent->dirty = length;
}

#endif
