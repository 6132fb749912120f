/* SPDX-License-Identifier: MIT */
/*
 * Extents: runs of whole pages. Every large block and every slab is one; the memory between them is
 * free extents.
 *
 * Descriptors lie apart (meta) and are found from an address through the pagemap. So the neighbours
 * of an extent are one look-up away on either side, and splitting and coalescing take constant
 * time. Free extents stand in a tree (tree.h) whose order is the fit policy. All extents of a heap
 * also form one list, which keeps address order within every contiguous run.
 *
 * Only the first `dirty` bytes of an extent may be other than zero: memory behind them is as the
 * page source gave it. The first `clean` bytes of a free extent are zero again (purged), and stay
 * known as zero when a dirty neighbour is coalesced. calloc and purge rely on both.
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
#include "meta.h"
#include "pagemap.h"
#include "pages.h"
#include "size_class.h"

enum extent_state {
    EXTENT_FREE,           /* in the tree */
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
    struct sync_tag state;  /* enum extent_state */
    uint8_t alignment_code; /* of a large block: 0, or 1 + log2 of the alignment asked for */
    uint8_t run_class;      /* EXTENT_LARGE, EXTENT_CACHED: RUN_CLASS_NONE, or that of its pages */
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

/* Guarded by the lock of the heap that owns them. */
struct extents {
    struct pages *pages;
    struct meta *meta;
    unsigned owner; /* in the pagemap */
    enum anvil_fit fit;
    struct extent *first, *last; /* all extents, mappings included */
    struct extent *root;         /* the free ones */
    char *cursor;                /* next fit: the end of the last extent taken */
    size_t trim_pages;           /* a free extent beyond this goes back at once, where it can */
    size_t held_pages;           /* all but mappings */
    size_t free_pages, free_count;
    size_t dirty_bytes;         /* of the free extents: between clean and dirty */
    size_t purge_at;            /* dirty_bytes that start the next purge */
    struct extent *purge_first; /* the free extents that extent_is_worth_purging */
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

/* Less than that many dirty pages at one place are left alone: the call would cost more than the
 * memory is worth. */
enum { EXTENT_PURGE_PAGES_MIN = 8 };

static inline bool extent_is_worth_purging(const struct extent *extent)
{
    return extent->dirty - extent->clean >= (size_t)EXTENT_PURGE_PAGES_MIN << PAGE_SHIFT;
}

/* Cuts both prefixes to what lies in the first `length` bytes. */
static inline void extent_cut_dirt(struct extent *extent, size_t length)
{
    if (extent->clean >= length) /* nothing dirty is left */
        extent->clean = extent->dirty = 0;
    else if (extent->dirty > length)
        extent->dirty = length;
}

void extents_init(struct extents *extents, struct pages *pages, struct meta *meta, unsigned owner,
                  const struct anvil_options *options);
/* Clears the pagemap entries of every extent, then gives the memory back to the page source. The
 * descriptors stay: they go with meta. */
void extents_destroy(struct extents *extents);

/* Allocates `pages` pages at a multiple of `alignment`, in state EXTENT_LARGE. Its `dirty` tells
 * what calloc must clear. Returns 0 or ENOMEM. */
int extent_alloc(struct extents *extents, size_t pages, size_t alignment,
                 struct extent **ret_extent);
/* Frees a large block, cached or not, or a slab: coalesces, then releases or purges what exceeds the limits. Never
 * fails. */
void extent_free(struct extents *extents, struct extent *extent);
/* Grows to `pages` in place, into a free right neighbour; at the top of a contiguous source that
 * neighbour is made. Returns false, with the extent unchanged, if there is no room. */
bool extent_grow(struct extents *extents, struct extent *extent, size_t pages);
/* Shrinks to `pages` in place and frees the tail. Returns false, with nothing changed, if there is
 * no descriptor for the tail. */
bool extent_shrink(struct extents *extents, struct extent *extent, size_t pages);
/* Makes a large block's extent that of a slab, and records every page. extent_free undoes it. */
void extent_make_slab(struct extents *extents, struct extent *extent, struct slab *slab);

/* Halves what is retained, once a second. For whoever frees. */
void extents_decay(struct extents *extents);

/* Releases or purges all free memory but `keep` bytes. Returns the bytes that left the process. */
size_t extents_release(struct extents *extents, size_t keep);
/* Gives meta the memory it is missing, from the end of a free extent, until the heap is destroyed.
 * Returns false if no free extent suffices. */
bool extents_feed_meta(struct extents *extents);
/* The extent that is recorded for the page of an address, or NULL if none of this heap's is, as of
 * a long mapping. */
struct extent *extent_at(const struct extents *extents, const void *address);
/* The neighbours by address, or NULL where the memory beside is not this heap's. */
struct extent *extent_left(const struct extents *extents, const struct extent *extent);
struct extent *extent_right(const struct extents *extents, const struct extent *extent);

/* ---- for mapping.c: descriptors, the list, and the entries in the pagemap ---- */

/* A descriptor that is in no list yet; the caller has reserved it. */
struct extent *extent_new(struct extents *extents, char *start, size_t pages,
                          enum extent_state state);
void extent_delete(struct extents *extents, struct extent *extent);
/* Links the extent beside its true neighbours by address, if it has any. */
void extent_link(struct extents *extents, struct extent *extent);
void extent_unlink(struct extents *extents, struct extent *extent);
/* Sets or clears the entries of the first and last page, or that of the cell. */
void extent_record(struct extents *extents, struct extent *extent);
void extent_unrecord(const struct extent *extent);

#endif
