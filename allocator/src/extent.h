/* SPDX-License-Identifier: MIT */
/*
 * Extents: runs of whole pages. Every large block and every slab is one; the memory between them is
 * free extents.
 *
 * Descriptors lie apart (meta) and are found from an address through the pagemap. So the neighbours
 * of an extent are one look-up away on either side, and splitting and coalescing take constant
 * time. Free extents form a set (free_set.h), which applies the fit policy. All extents of a heap
 * also form one list (extent_list.h).
 *
 * Mappings (mapping.h) use the same descriptor and list, but are never split, coalesced or kept.
 *
 * Everything here is guarded by the lock of the heap that owns it, but for what belongs to whoever
 * has the block: he alone changes a block's size and makes it cached and live again, without the
 * lock, while others may look at its state and its size.
 */
#ifndef ANVIL_EXTENT_H
#define ANVIL_EXTENT_H

#include "anvil.h"
#include "extent_list.h"
#include "free_set.h"
#include "pages.h"
#include "size_class.h"

/* Guarded by the lock of the heap that owns them. */
struct extents {
    struct pages *pages;
    struct extent_list list;
    struct free_set free;
    char *cursor;      /* next fit: the end of the last extent taken */
    size_t trim_pages; /* a free extent beyond this goes back at once, where it can */
    size_t held_pages; /* all but mappings */
    size_t purge_at;   /* free.dirty_bytes, but for the sparse ones, that start the next purge */
    size_t sparse;     /* bytes of free.dirty_bytes that take no memory, by the last samples */
    /* Retention: pages that went back and were needed again stay from then on. */
    size_t retained_pages; /* free pages that stay above the other limits */
    size_t gone_pages;     /* that went back lately, and were not needed again */
    uint64_t retained_at;  /* when both were halved last, in seconds */
    unsigned frees;        /* since the clock was read */
    size_t mapping_count, mapping_pages;
    struct extent *kept_newest, *kept_oldest; /* freed mappings, by the time of their freeing */
    size_t kept_count, kept_pages;
    size_t kept_wanted, unmapped_pages; /* as retained_pages and gone_pages, of mappings */
};

void extents_init(struct extents *extents, struct pages *pages, struct meta *meta, unsigned owner,
                  const struct anvil_options *options);
/* Clears the pagemap entries of every extent, then gives the memory back to the page source. The
 * descriptors stay: they go with meta. */
void extents_destroy(struct extents *extents);

/* Allocates `pages` pages at a multiple of `alignment`, in state EXTENT_LARGE. Its `dirty` tells
 * what calloc must clear. Returns 0 or ENOMEM. */
int extent_alloc(struct extents *extents, size_t pages, size_t alignment,
                 struct extent **ret_extent);
/* Frees a large block, cached or not, or a slab: coalesces, then releases or purges what exceeds
 * the limits. Never fails. */
void extent_free(struct extents *extents, struct extent *extent);
/* Grows to `pages` in place, into a free right neighbour; at the top of a contiguous source that
 * neighbour is made. Returns false, with the extent unchanged, if there is no room. */
bool extent_grow(struct extents *extents, struct extent *extent, size_t pages);
/* Shrinks to `pages` in place and frees the tail. Returns false, with nothing changed, if there is
 * no descriptor for the tail. */
bool extent_shrink(struct extents *extents, struct extent *extent, size_t pages);

/* Halves what is retained, once a second. For whoever frees. */
void extents_decay(struct extents *extents);

/* Releases or purges all free memory but `keep` bytes. Returns the bytes that left the process. */
size_t extents_release(struct extents *extents, size_t keep);
/* Gives meta the memory it is missing, from the end of a free extent, until the heap is destroyed.
 * Returns false if no free extent suffices. */
bool extents_feed_meta(struct extents *extents);

#endif
