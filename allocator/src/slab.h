/* SPDX-License-Identifier: MIT */
/*
 * Slabs: blocks of one size class, side by side in one extent.
 *
 * The descriptor and one tag of 32 bits per block lie with the other metadata, so a slab holds
 * nothing but blocks. A tag tells what its block is:
 *
 *   live   | 0 | 0 ... | request code, 7 bits | size asked for, 16 bits  |
 *   taken  | 1 | 1 | zero | 0 ...                                        |  in a magazine
 *   free   | 1 | 0 | zero | 1 | 0 ... | index of the next free block, 16 |  NO_BLOCK ends the list
 *   none   | 1 | 0 ...                                                   |  never taken yet
 *   span   | 1 | 0 | 0 | 0 | 1 | blocks, 11 bits | size asked for, 16    |  first of a live span
 *   rest   | 1 | 0 | 0 | 0 | 1 | 0 ...                                   |  the others
 *
 * `zero`: the block's memory is known to be zero. The free list runs through the tags and never
 * through the blocks: writing to a freed block cannot lead the allocator astray, and freeing does
 * not touch the block.
 *
 *     extent   | block | block | block |  not carved yet ...            | rest |
 *     tags     | live  | free  | taken |  none ...                        none |
 *
 * Blocks leave a slab and come back in batches, under the lock of their class (which it shares with
 * a few others, so that whoever needs all locks need not take 80): slabs_take and slabs_put.
 * Between those two a block belongs to whoever took it, and only he changes its tag, without a
 * lock. The fields of a slab down to `class_index` never change.
 *
 * A span is a live block that consists of several free blocks side by side, of a smaller class.
 * When a program has freed most of its small blocks, but not those of any one slab, their memory
 * serves larger blocks that way. A span never goes through a magazine: that is slower, and happens
 * only where a class has megabytes of free blocks, more than it has live ones.
 *
 * The slabs of SIZE_CLASS_NOTHING are inaccessible while they live, where the system allows it.
 * Where guards are wanted, an inaccessible page of a slab's own follows its blocks:
 *
 *     extent   | block | block | ...                | rest | guard page |
 *
 * Pointers into it have tags, which stay `none`.
 *
 * Locks: that of the spans, that of a class, that of the extents, in this order.
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
    SLAB_SPARSE_SHARE = 8,    /* a class that has no more spans needs so many more free blocks */
    SLAB_SPANS_MAX = 256,     /* that are made at once */
    SLAB_SPAN_BLOCKS_MAX = 1024,
    SLAB_GUARDS_MAX = 16384, /* each is two mappings more, of the 65,530 that a process may have */
};

/* The layout of a tag, drawn above. */
#define SLAB_TAG_NONE  UINT32_C(0x80000000)
#define SLAB_TAG_TAKEN UINT32_C(0xc0000000)
#define SLAB_TAG_FREE  UINT32_C(0x90000000)
#define SLAB_TAG_ZERO  UINT32_C(0x20000000) /* of a taken or a free one */
#define SLAB_TAG_SPAN  UINT32_C(0x88000000) /* and of the rest */
enum {
    SLAB_TAG_REQUEST_SHIFT = 16,
    SLAB_TAG_REQUEST_MASK = 0x7f,
    SLAB_TAG_LOW_MASK = 0xffff,
    SLAB_TAG_BLOCKS_SHIFT = 16,
    SLAB_TAG_BLOCKS_MASK = 0x7ff,
};
_Static_assert((int)SLAB_SPAN_BLOCKS_MAX <= (int)SLAB_TAG_BLOCKS_MASK,
               "a span must fit into its tag");
_Static_assert((int)SIZE_CLASS_BYTES_MAX <= (int)SLAB_TAG_LOW_MASK, "a size must fit into its tag");
_Static_assert((int)REQUEST_LAST <= (int)SLAB_TAG_REQUEST_MASK,
               "a request code must fit into its tag");

struct slab {
    struct extent *extent; /* as struct extent_slab */
    char *start;
    uint64_t reciprocal; /* of the class */
    uint64_t bias;       /* start * reciprocal */
    uint16_t magazine;   /* of the class: an offset into a thread's cache */
    uint16_t block_size;
    uint16_t usable;   /* bytes of a block: block_size, or 0 */
    uint16_t capacity; /* blocks */
    uint8_t class_index;
    uint8_t guard_pages; /* 0 or 1 */
    /* guarded by the lock of the class: */
    uint16_t carved, free_count;
    uint16_t first_free;          /* a block, or SLAB_NO_BLOCK */
    struct slab *previous, *next; /* slabs of the class that have room */
    struct sync_tag tags[];       /* one more than there are blocks, which stays `none` */
};
_Static_assert(offsetof(struct slab, extent) == 0, "extent.c finds the extent there");
_Static_assert(offsetof(struct slab, tags) <= 64, "what a free touches is one line and the tag");

struct slab_class {
    /* the slabs with room, the most recent first; includes the empty one */
    struct slab *partial;
    struct slab *empty; /* at most one slab is kept with all blocks in it */
    uint32_t slabs;
    uint32_t free_blocks; /* that were carved, in all slabs */
    uint32_t sparse_at;   /* free blocks from which on spans are considered */
};

/* The search of a class for spans. Apart, as most processes never touch it. */
struct slab_sweep {
    struct slab *next;      /* where it goes on; NULL: it begins */
    uint32_t looked, found; /* slabs, and spans in them, since it began */
    bool is_on;
};

/* A block that was taken, and its tag. */
struct slab_entry {
    char *block;
    struct sync_tag *tag;
};

/* Spans that were made and not yet used: their first blocks are taken. Guarded by its lock. */
struct slab_spans {
    struct sync_lock lock;
    struct sync_tag is_wanted; /* a hint: some class is sparse */
    unsigned class_index;      /* of the blocks that they replace */
    unsigned count;
    struct slab_entry entries[SLAB_SPANS_MAX];
};

struct slabs {
    struct extents *extents;
    struct sync_lock *extents_lock;
    bool wants_guards;
    unsigned guards;                    /* guarded by extents_lock */
    struct sync_lock locks[SLAB_LOCKS]; /* each guards the classes of its remainder */
    struct slab_class classes[SIZE_CLASS_COUNT];
    struct slab_spans spans;
    struct slab_sweep sweeps[SIZE_CLASS_COUNT]; /* guarded as the classes are */
};

/* extents_lock is the one that guards `extents` and all below it. `locks` is left as it is. */
void slabs_init(struct slabs *slabs, struct extents *extents, struct sync_lock *extents_lock);

/* Takes between one and `wanted` blocks; their tags say `taken`. They are in the order of a stack:
 * the last entry is the block that the slab gives first, which is mostly the lowest address.
 * Returns 0 or ENOMEM. */
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
    uint64_t product = (uintptr_t)pointer * slab->reciprocal - slab->bias;
    if (UNLIKELY((uint32_t)product >= SIZE_CLASS_REMAINDER))
        return NULL;
    return &slab->tags[product >> 32];
}

static inline bool slab_tag_is_live(uint32_t tag)
{
    return (tag & SLAB_TAG_NONE) == 0;
}

static inline bool slab_tag_is_taken(uint32_t tag)
{
    return (tag & SLAB_TAG_TAKEN) == SLAB_TAG_TAKEN;
}

static inline bool slab_tag_is_free(uint32_t tag)
{
    return (tag & (SLAB_TAG_TAKEN | SLAB_TAG_FREE)) == SLAB_TAG_FREE;
}

static inline bool slab_tag_is_span(uint32_t tag)
{
    return (tag & (SLAB_TAG_TAKEN | SLAB_TAG_FREE | SLAB_TAG_SPAN)) == SLAB_TAG_SPAN &&
           tag != SLAB_TAG_SPAN;
}

static inline uint32_t slab_tag_span(unsigned blocks, size_t size)
{
    ASSERT(blocks > 0 && blocks <= SLAB_SPAN_BLOCKS_MAX && size <= SIZE_CLASS_BYTES_MAX);
    return SLAB_TAG_SPAN | blocks << SLAB_TAG_BLOCKS_SHIFT | (uint32_t)size;
}

static inline unsigned slab_tag_span_blocks(uint32_t tag)
{
    return tag >> SLAB_TAG_BLOCKS_SHIFT & SLAB_TAG_BLOCKS_MASK;
}

/* How many blocks belong to what this tag is of. */
static inline unsigned slab_tag_blocks(uint32_t tag)
{
    return slab_tag_is_span(tag) ? slab_tag_span_blocks(tag) : 1;
}

/* May slabs_take_span find something? */
static inline bool slabs_want_spans(const struct slabs *slabs)
{
    return sync_tag_read(&slabs->spans.is_wanted) != 0;
}

static inline uint32_t slab_tag_live(size_t size, unsigned request_code)
{
    ASSERT(size <= SIZE_CLASS_BYTES_MAX && request_code <= SLAB_TAG_REQUEST_MASK);
    return request_code << SLAB_TAG_REQUEST_SHIFT | (uint32_t)size;
}

/* A live block's requested size. */
static inline size_t slab_tag_size(uint32_t tag)
{
    return tag & SLAB_TAG_LOW_MASK;
}

static inline unsigned slab_tag_request_code(uint32_t tag)
{
    return tag >> SLAB_TAG_REQUEST_SHIFT & SLAB_TAG_REQUEST_MASK;
}

static inline char *slab_block_start(const struct slab *slab, unsigned index)
{
    return slab->start + (size_t)index * slab->block_size;
}

/* ---- for span.c: a slab, under the lock of its class ---- */

static inline struct sync_lock *slab_class_lock(struct slabs *slabs, unsigned class_index)
{
    return &slabs->locks[class_index % SLAB_LOCKS];
}

static inline bool slab_has_room(const struct slab *slab)
{
    return slab->free_count > 0 || slab->carved < slab->capacity;
}

static inline bool slab_is_empty(const struct slab *slab)
{
    return slab->free_count == slab->carved;
}

static inline struct slab_entry slab_entry_of(struct slab *slab, unsigned index)
{
    return (struct slab_entry){.block = slab_block_start(slab, index), .tag = &slab->tags[index]};
}

/* The slab of a block that was taken from it: its pagemap word is known to be there. */
static inline struct slab *slab_of_taken(const char *block)
{
    uintptr_t leaf = (uintptr_t)sync_read(&pagemap_root[(uintptr_t)block >> PAGEMAP_LEAF_SHIFT]);
    return pagemap_descriptor(pagemap_get_in(leaf, block));
}

void slab_partial_insert(struct slab_class *class, struct slab *slab);
void slab_partial_remove(struct slabs *slabs, struct slab *slab);
/* The slab has just become empty: it is kept, or freed if another one is. */
void slab_settle_empty(struct slabs *slabs, struct slab_class *class, struct slab *slab);
/* Are there so many free blocks, and more than others, that spans shall be made of them? */
void slab_look_whether_sparse(struct slabs *slabs, unsigned class_index);

#endif
