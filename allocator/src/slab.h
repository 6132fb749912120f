/* SPDX-License-Identifier: MIT */
/*
 * Slabs: blocks of one size class, side by side in one extent.
 *
 * The descriptor and one tag of 32 bits per block lie with the other metadata, so a slab holds
 * nothing but blocks. A tag tells what its block is:
 *
 *     live       | 1 | 0 ... | alignment code, 5 bits | size asked for, 16 bits |
 *     taken      | 0 | 1 | zero | 0 ...                                         |   out of the slab, in a magazine
 *     free       | 0 | 0 | zero | 1 | 0 ... | index of the next free block, 16  |   NO_BLOCK ends the list
 *     otherwise  0                                                                  never taken yet
 *
 * `zero`: the block's memory is known to be zero. The free list runs through the tags and never
 * through the blocks: writing to a freed block cannot lead the allocator astray, and freeing does
 * not touch the block.
 *
 *     extent   | block | block | block |  not carved yet ...            | rest |
 *     tags     | live  | free  | taken |  0 ...                              0 |
 *
 * Blocks leave a slab and come back in batches, under the lock of their class (which it shares with
 * a few others, so that whoever needs all locks need not take 80): slabs_take and slabs_put.
 * Between those two a block belongs to whoever took it, and only he changes its tag, without a
 * lock. The fields of a slab down to `tag_count` never change.
 *
 * The slabs of SIZE_CLASS_NOTHING are inaccessible while they live, where the system allows it.
 *
 * Locks: that of a class before that of the extents, never the other way round.
 */
#ifndef ANVIL_SLAB_H
#define ANVIL_SLAB_H

#include "extent.h"
#include "panic.h"
#include "size_class.h"

enum {
    SLAB_SMALL_COUNT = 4, /* slabs of a class before they become large */
    SLAB_NO_BLOCK = 0xffff,
    SLAB_LOCKS = 16,
    SLAB_MAGAZINE_BYTES = 16, /* of a class in a thread's cache: see cache.h */
};

/* The layout of a tag, drawn above. */
#define SLAB_TAG_LIVE  UINT32_C(0x80000000)
#define SLAB_TAG_TAKEN UINT32_C(0x40000000)
#define SLAB_TAG_ZERO  UINT32_C(0x20000000)
#define SLAB_TAG_FREE  UINT32_C(0x10000000)
enum { SLAB_TAG_ALIGNMENT_SHIFT = 16, SLAB_TAG_ALIGNMENT_MASK = 0x1f, SLAB_TAG_LOW_MASK = 0xffff };
_Static_assert((int)SIZE_CLASS_BYTES_MAX <= (int)SLAB_TAG_LOW_MASK, "a size must fit into its tag");
_Static_assert(PAGE_SHIFT + 1 <= SLAB_TAG_ALIGNMENT_MASK, "an alignment must fit into its tag");

struct slab {
    struct extent *extent; /* as struct extent_slab */
    char *start;
    uint64_t magazine; /* of the class: an offset into a thread's cache */
    uint32_t reciprocal;
    uint16_t block_size;
    uint8_t class_index;
    uint16_t capacity; /* blocks */
    /* guarded by the lock of the class: */
    uint16_t carved, free_count;
    uint16_t first_free;          /* a block, or SLAB_NO_BLOCK */
    uint32_t zero_from;           /* bytes: from here on memory was zero when the slab was made */
    uint16_t usable;              /* bytes of a block: block_size, or 0; never changes */
    struct slab *previous, *next; /* slabs of the class that have room */
    struct sync_tag tags[];       /* one more than there are blocks; the last stays 0 */
};
_Static_assert(offsetof(struct slab, extent) == 0, "extent.c finds the extent there");
_Static_assert(offsetof(struct slab, tags) <= 64, "what a free touches is one line and the tag");

struct slab_class {
    /* the slabs with room, the most recent first; includes the empty one */
    struct slab *partial;
    struct slab *empty; /* at most one slab is kept with all blocks in it */
    uint32_t slabs;
};

struct slabs {
    struct extents *extents;
    struct sync_lock *extents_lock;
    struct sync_lock locks[SLAB_LOCKS]; /* each guards the classes of its remainder */
    struct slab_class classes[SIZE_CLASS_COUNT];
};

/* A block that was taken, and its tag. */
struct slab_entry {
    char *block;
    struct sync_tag *tag;
};

/* extents_lock is the one that guards `extents` and all below it. `locks` is left as it is. */
void slabs_init(struct slabs *slabs, struct extents *extents, struct sync_lock *extents_lock);

/* Takes between one and `wanted` blocks; their tags say `taken`. They are in the order of a stack:
 * the last entry is the block that the slab gives first, which is mostly the lowest address. Returns
 * 0 or ENOMEM. */
int slabs_take(struct slabs *slabs, unsigned class_index, struct slab_entry *entries,
               unsigned wanted, unsigned *ret_count);
/* Puts blocks of one class back. Returns how many; less than `count` if the next was not taken: it
 * has been put back before. */
unsigned slabs_put(struct slabs *slabs, unsigned class_index, const struct slab_entry *entries,
                   unsigned count);
/* Frees the empty slabs that are kept. Returns whether there were any. */
bool slabs_release(struct slabs *slabs);
/* Why a pointer into the slab's pages is not a live block. */
struct fault slab_diagnose(const struct slab *slab, const void *pointer);

/* The tag of the block that starts at a pointer into the slab's pages, or NULL if none starts
 * there. Behind the last block that is the extra tag, which is never live. */
static inline struct sync_tag *slab_tag_at(struct slab *slab, const void *pointer)
{
    uint64_t product = ((uintptr_t)pointer - (uintptr_t)slab->start) * slab->reciprocal;
    if (UNLIKELY((uint32_t)product >= slab->reciprocal))
        return NULL;
    return &slab->tags[product >> 32];
}

static inline bool slab_tag_is_live(uint32_t tag)
{
    return (tag & SLAB_TAG_LIVE) != 0;
}

static inline uint32_t slab_tag_live(size_t size, unsigned alignment_code)
{
    ASSERT(size <= SIZE_CLASS_BYTES_MAX && alignment_code <= SLAB_TAG_ALIGNMENT_MASK);
    return SLAB_TAG_LIVE | alignment_code << SLAB_TAG_ALIGNMENT_SHIFT | (uint32_t)size;
}

/* A live block's requested size. */
static inline size_t slab_tag_size(uint32_t tag)
{
    return tag & SLAB_TAG_LOW_MASK;
}

static inline unsigned slab_tag_alignment_code(uint32_t tag)
{
    return tag >> SLAB_TAG_ALIGNMENT_SHIFT & SLAB_TAG_ALIGNMENT_MASK;
}

static inline char *slab_block_start(const struct slab *slab, unsigned index)
{
    return slab->start + (size_t)index * slab->block_size;
}

#endif
