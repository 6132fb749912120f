/* SPDX-License-Identifier: MIT */
/*
 * Slabs: small blocks of one size class, side by side in one extent.
 *
 * The descriptor lives in the extent's, and one tag of 16 bits per block lies with the other
 * metadata, so a slab holds nothing but blocks:
 *
 *     live block   | 1 | alignment code, 4 bits | slack, 11 bits |      slack = capacity - size asked for
 *     free block   | 0 | index of the next free block, 15 bits   |      NO_BLOCK ends the list
 *
 * The free list runs through the tags and never through the blocks: writing to a freed block cannot
 * lead the allocator astray, and freeing does not touch the block. Blocks beyond `carved` have
 * never been handed out; their tags are not even initialised.
 *
 *     extent   | block | block | block |  not carved yet ...            | rest |
 *     tags     | live  | free  | live  |
 */
#ifndef ANVIL_SLAB_H
#define ANVIL_SLAB_H

#include "extent.h"
#include "panic.h"

enum {
    SLAB_CLASSES = 32,
    SLAB_PAGES_SMALL = 4, /* of the first slabs of a class */
    SLAB_PAGES_LARGE = 16,
    SLAB_SMALL_COUNT = 4, /* slabs of a class before they become large */
    SLAB_NO_BLOCK = 0x7fff,
};

/* The layout of a tag, drawn above. */
enum {
    SLAB_TAG_LIVE = 0x8000,
    SLAB_TAG_LIVE_SHIFT = 15,
    SLAB_TAG_ALIGNMENT_SHIFT = 11,
    SLAB_TAG_ALIGNMENT_MASK = 0xf,
    SLAB_TAG_SLACK_MASK = 0x7ff
};

struct slab {
    uint16_t *tags;
    uint32_t reciprocal; /* of block_size, see struct slab_size */
    uint16_t block_size;
    uint16_t capacity; /* blocks */
    uint16_t carved, live;
    uint16_t first_free; /* a block, or SLAB_NO_BLOCK */
    uint16_t class_index;
    uint32_t zero_from;             /* bytes: from here on memory was zero when the slab was made */
    struct extent *previous, *next; /* slabs of the class that have room */
};
_Static_assert(sizeof(struct slab) <= sizeof(struct extent_slab_room),
               "a slab must fit into its extent's descriptor");
_Static_assert((SLAB_PAGES_LARGE << PAGE_SHIFT) / 16 < SLAB_NO_BLOCK, "every block needs an index");
_Static_assert((SLAB_PAGES_LARGE << PAGE_SHIFT) / 16 * sizeof(uint16_t) <= 1u << META_SHIFT_MAX,
               "meta must have room for the tags");

struct slab_class {
    /* the slabs with room, the most recent first; includes the empty one */
    struct extent *partial;
    struct extent *empty; /* at most one slab is kept without live blocks */
    uint32_t slabs;
};

/* Guarded by the lock of the heap that owns it. */
struct slabs {
    struct extents *extents;
    struct slab_class classes[SLAB_CLASSES];
    size_t carved_free, carved_free_bytes; /* free blocks that have been carved */
};

static inline struct slab *slab_of(struct extent *extent)
{
    ASSERT(extent->state == EXTENT_SLAB);
    return (struct slab *)&extent->as.slab;
}

static inline const struct slab *slab_of_const(const struct extent *extent)
{
    return (const struct slab *)&extent->as.slab;
}

struct slab_size {
    uint16_t bytes; /* of a block */
    /* rounded up 2^32 / bytes: offset * reciprocal >> 32 is offset / bytes for every offset in a
     * slab */
    uint32_t reciprocal;
};

/* Steps of 16 bytes up to 256, then eight classes for each doubling: at most an eighth is waste. */
extern const struct slab_size slab_sizes[SLAB_CLASSES];

/* The class for a block of `size` bytes at a multiple of `alignment`, both at most ANVIL_SMALL_MAX.
 * A multiple of a power of two up to the size's own magnitude is a class size itself, so rounding
 * up suffices for alignment. */
static inline unsigned slab_class_of(size_t size, size_t alignment)
{
    ASSERT(size <= ANVIL_SMALL_MAX && alignment <= ANVIL_SMALL_MAX);
    size_t rounded = size_round_up(size + (size == 0), size_max(alignment, BLOCK_ALIGNMENT));
    if (LIKELY(rounded <= 256))
        return (unsigned)(rounded / 16) - 1;
    return rounded <= 512 ? 16 + (unsigned)((rounded - 257) / 32)
                          : 24 + (unsigned)((rounded - 513) / 64);
}

void slabs_init(struct slabs *slabs, struct extents *extents);

struct slab_block {
    char *start;
    bool is_zero; /* never handed out, and zero */
};
/* Allocates a block of the class for `size` bytes. Returns 0 or ENOMEM. */
int slab_alloc(struct slabs *slabs, unsigned class_index, size_t size, unsigned alignment_code,
               struct slab_block *ret_block);

/* Frees a live block. */
void slab_free(struct slabs *slabs, struct extent *extent, unsigned index);
/* Sets the requested size of a live block, at most its capacity, and forgets its alignment. */
void slab_block_resize(struct extent *extent, unsigned index, size_t size);

/* The index of the live block that starts at a pointer into the slab's pages, or SLAB_NO_BLOCK;
 * slab_diagnose tells why. */
static inline unsigned slab_find(const struct extent *extent, const void *pointer)
{
    const struct slab *slab = slab_of_const(extent);
    size_t offset = (size_t)((const char *)pointer - extent->start);
    unsigned index = (unsigned)((uint64_t)offset * slab->reciprocal >> 32);
    if (UNLIKELY(index >= slab->carved || (size_t)index * slab->block_size != offset ||
                 (slab->tags[index] & SLAB_TAG_LIVE) == 0))
        return SLAB_NO_BLOCK;
    return index;
}
struct fault slab_diagnose(const struct extent *extent, const void *pointer);

static inline bool slab_block_is_live(const struct extent *extent, unsigned index)
{
    return (slab_of_const(extent)->tags[index] & SLAB_TAG_LIVE) != 0;
}

/* A live block's requested size. */
static inline size_t slab_block_size(const struct extent *extent, unsigned index)
{
    const struct slab *slab = slab_of_const(extent);
    return slab->block_size - (size_t)(slab->tags[index] & SLAB_TAG_SLACK_MASK);
}

static inline unsigned slab_block_alignment_code(const struct extent *extent, unsigned index)
{
    return slab_of_const(extent)->tags[index] >> SLAB_TAG_ALIGNMENT_SHIFT & SLAB_TAG_ALIGNMENT_MASK;
}

/* The block behind a free one in the free list. */
static inline unsigned slab_block_next_free(const struct extent *extent, unsigned index)
{
    return slab_of_const(extent)->tags[index];
}

static inline char *slab_block_start(const struct extent *extent, unsigned index)
{
    return extent->start + (size_t)index * slab_of_const(extent)->block_size;
}

/* Frees the empty slabs that are kept. Returns whether there were any. */
bool slabs_release(struct slabs *slabs);

#endif
