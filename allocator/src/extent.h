/* SPDX-License-Identifier: MIT */
/*
 * Extents: runs of whole pages. Every large block and every slab is one, and what is between them
 * is free extents.
 *
 * Descriptors lie apart (meta), and are found from an address through the pagemap; so the
 * neighbours of an extent are one look-up away on either side, and splitting and coalescing take
 * the same time for any heap. Free extents stand in a tree (tree.h) whose order is the fit policy.
 * All extents of a heap also form one list, which keeps address order within every contiguous run.
 *
 * A prefix of `dirty` bytes says what may be other than zero: memory behind it is as the page
 * source gave it. A free extent also has a prefix of `clean` bytes that are zero all the same, so
 * that what was purged stays so when a neighbour comes to it. calloc and purge live on that.
 *
 * Mappings of their own (mapping.h) use the same descriptor and list, but are never split,
 * coalesced or kept.
 */
#ifndef ANVIL_EXTENT_H
#define ANVIL_EXTENT_H

#include "anvil.h"
#include "meta.h"
#include "pagemap.h"
#include "pages.h"

enum extent_state {
    EXTENT_FREE,    /* in the tree */
    EXTENT_LARGE,   /* one block */
    EXTENT_SLAB,    /* many small ones */
    EXTENT_MAPPING, /* one block, with a mapping of its own */
    EXTENT_PARKED,  /* such a mapping, freed, that the system would not take back yet */
};

/* A free extent's place in the tree. */
struct extent_node {
    struct extent *left, *right;
    size_t pages_max; /* the largest extent of this subtree */
    uint32_t priority;
};

/* A large block. */
struct extent_block {
    size_t size; /* bytes asked for */
};

/* The slab layer keeps its own fields here: see slab.h. */
struct extent_slab_room {
    uint64_t words[6];
};

struct extent {
    char *start;
    uint8_t state;          /* enum extent_state */
    uint8_t alignment_code; /* of a large block: 0, or 1 + log2 of the alignment asked for */
    union {
        struct extent_node node;      /* EXTENT_FREE */
        struct extent_block block;    /* EXTENT_LARGE, EXTENT_MAPPING */
        struct extent_slab_room slab; /* EXTENT_SLAB */
    } as;
    size_t pages;
    size_t dirty; /* bytes from the start that may be other than zero */
    /* of them, from the start: those that are zero all the same. 0 unless EXTENT_FREE */
    size_t clean;
    struct extent *previous, *next;
};
_Static_assert(sizeof(struct extent) <= 128, "two cache lines, and a power of two for meta");
_Static_assert(offsetof(struct extent, pages) == 64,
               "what free and malloc of small blocks touch is the first line");

/* Guarded by the lock of the heap that owns it. */
struct extents {
    struct pages *pages;
    struct meta *meta;
    unsigned owner; /* in the pagemap */
    enum anvil_fit fit;
    struct extent *first, *last; /* all extents, mappings included */
    struct extent *root;         /* the free ones */
    char *cursor;                /* next fit: the end of the last extent taken */
    size_t trim_pages;           /* more free pages than this at a givable place go back at once */
    size_t held_pages;           /* all but mappings */
    size_t free_pages, free_count;
    size_t dirty_bytes; /* of the free extents: between clean and dirty */
    size_t purge_at;    /* dirty_bytes that start the next purge */
    size_t mapping_count, mapping_pages;
    size_t parked_count, parked_pages;
};

static inline size_t extent_length(const struct extent *extent)
{
    return extent->pages << PAGE_SHIFT;
}

static inline char *extent_end(const struct extent *extent)
{
    return extent->start + extent_length(extent);
}

/* What is left of both prefixes in the first `length` bytes. */
static inline void extent_cut_dirt(struct extent *extent, size_t length)
{
    if (extent->clean >= length) /* nothing dirty is left */
        extent->clean = extent->dirty = 0;
    else if (extent->dirty > length)
        extent->dirty = length;
}

void extents_init(struct extents *extents, struct pages *pages, struct meta *meta, unsigned owner,
                  const struct anvil_options *options);
/* Forgets every extent and gives its memory back. Slabs must have been told; descriptors are meta's
 * to drop. */
void extents_done(struct extents *extents);

/* A run of `pages` pages at a multiple of `alignment`, in state EXTENT_LARGE, or ENOMEM. Its
 * `dirty` tells what calloc must clear. */
int extent_take(struct extents *extents, size_t pages, size_t alignment,
                struct extent **ret_extent);
/* Frees it: coalesces, and gives back or purges what is too much. Never fails. */
void extent_give(struct extents *extents, struct extent *extent);
/* Grows to `pages` in place, at the cost of a free right neighbour. False: there is none that
 * suffices, nothing changed. */
bool extent_grow(struct extents *extents, struct extent *extent, size_t pages);
/* Shrinks to `pages` in place; the tail is free then. False: there was no descriptor for the tail,
 * nothing changed. */
bool extent_shrink(struct extents *extents, struct extent *extent, size_t pages);
/* Records every page, for a slab that is about to be made of it; the reverse happens in
 * extent_give. */
void extent_record_pages(struct extents *extents, struct extent *extent);

/* Gives back or purges all free memory but for `keep` bytes. Returns the bytes that left the
 * process. */
size_t extents_release(struct extents *extents, size_t keep);
/* Hands what meta is missing over to it, from the end of a free extent, for good. False: no free
 * extent suffices. */
bool extents_feed_meta(struct extents *extents);
/* The neighbours by address, or NULL where the memory beside is not this heap's. */
struct extent *extent_left(const struct extents *extents, const struct extent *extent);
struct extent *extent_right(const struct extents *extents, const struct extent *extent);

#endif
