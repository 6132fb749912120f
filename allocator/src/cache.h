/* SPDX-License-Identifier: MIT */
/*
 * Each thread's cache of the default heap: a magazine of blocks per size class (Bonwick and Adams,
 * "Magazines and Vmem", 2001). It makes malloc and free of small blocks a few instructions without
 * a lock:
 *
 *     malloc    pops an entry and writes its tag: live, with the size
 *     free      finds the block's tag through the pagemap, checks it, writes `taken`, pushes
 *
 * An entry is a block that was taken from its slab, and the address of its tag. Nothing is written
 * into the block; the tag tells a double free at once. When a magazine is empty or full, a batch
 * moves between it and the slabs, under the lock of the class; a magazine that misses often becomes
 * longer, one that rests is emptied. A thread that ends puts everything back.
 *
 *     base        top                 limit
 *      | NULL | entry | entry |  free  |      top[-1] is popped next; NULL there: it is empty
 *
 * Large blocks, up to 1 MiB: a thread keeps the extents that it freed in a list for each run class,
 * with a limit on the pages of all together. They are linked through their descriptors, state
 * EXTENT_CACHED, and have no neighbours to coalesce with meanwhile.
 *
 * A thread also keeps the mapping that it freed last, up to 4 MiB, for its next block of about that
 * size. Nothing else may happen to it meanwhile.
 *
 * A cache belongs to its thread. Other threads touch it only when that thread cannot use it: when
 * the heap starts over. In the child of a fork, what the caches of the other threads hold is lost:
 * at most what fits into them, once, because the child has one thread.
 */
#ifndef ANVIL_CACHE_H
#define ANVIL_CACHE_H

#include "heap.h"

enum { CACHED_MAPPING_PAGES_MAX = 1024 };

struct magazine {
    struct slab_entry *top, *limit;
};
_Static_assert(sizeof(struct magazine) == SLAB_MAGAZINE_BYTES, "a slab knows the offset");

/* What only the slow paths need to know of a magazine: in entries. */
struct magazine_room {
    uint8_t capacity;   /* with the NULL at the base, which is so far below the limit; 0: no room */
    uint8_t batch;      /* that the next refill takes */
    uint8_t last_count; /* when it was looked at last */
};

struct cache {
    struct magazine magazines[SIZE_CLASS_COUNT];
    struct magazine_room rooms[SIZE_CLASS_COUNT];
    struct extent *runs[RUN_CLASS_COUNT]; /* freed large blocks, the latest first */
    uint32_t run_pages, run_pages_max;    /* in all of them; 0: it keeps none */
    struct extent *mapping;               /* a freed one, or NULL */
    uint64_t spilled_runs; /* a bit for each run class that was given up and not missed since */
    bool has_used_runs;    /* or the mapping, since resting ones were looked for */
    struct anvil_heap *heap;
    struct cache *next; /* all caches of the process, used or not */
    bool is_used;
    unsigned moves; /* batches moved since resting magazines were looked for */
};
_Static_assert(sizeof(struct cache) <= PAGE_BYTES, "a cache is one page");

/* The calling thread's cache; one with nothing in it and no room until it has its own, and after it
 * has ended. */
extern _Thread_local struct cache *cache_current __attribute__((tls_model("initial-exec")));

/* In steps of SIZE_CLASS_STEP bytes: the offset of the magazine for a size. */
extern const uint16_t cache_offsets[SIZE_CLASS_BYTES_MAX / SIZE_CLASS_STEP + 1];

/* Has the calling thread a cache? Then the default heap is not hardened. */
static inline bool cache_is_own(void)
{
    return cache_current->heap != NULL;
}

static inline struct magazine *cache_magazine(struct cache *cache, size_t offset)
{
    return (struct magazine *)((char *)cache + offset);
}

static inline struct magazine *cache_magazine_for(size_t size)
{
    ASSERT(size <= SIZE_CLASS_BYTES_MAX);
    size_t offset = cache_offsets[(size + SIZE_CLASS_STEP - 1) / SIZE_CLASS_STEP];
    return cache_magazine(cache_current, offset);
}

/* Is there a block for `size` bytes? */
static inline bool cache_has(size_t size)
{
    return cache_magazine_for(size)->top[-1].block != NULL;
}

/* Pops a block for `size` bytes. Returns false, with nothing done, if there is none. */
static inline bool cache_pop(size_t size, struct slab_entry *ret_entry)
{
    struct magazine *magazine = cache_magazine_for(size);
    if (UNLIKELY(magazine->top[-1].block == NULL))
        return false;
    *ret_entry = *--magazine->top;
    return true;
}

/* Pops a block and makes it live with this tag. Returns its entry, which is good until the next
 * push; NULL, with nothing done, if there is none. */
static inline const struct slab_entry *cache_pop_live(size_t size, uint32_t tag)
{
    struct magazine *magazine = cache_magazine_for(size);
    struct slab_entry *entry = magazine->top - 1;
    if (UNLIKELY(entry->block == NULL))
        return NULL;
    magazine->top = entry;
    sync_tag_write(entry->tag, tag);
    return entry;
}

/* Pushes a block whose tag says `taken`. Returns false if there is no room. */
static inline bool cache_push(const struct slab *slab, char *block, struct sync_tag *tag)
{
    struct magazine *magazine = cache_magazine(cache_current, slab->magazine);
    struct slab_entry *top = magazine->top;
    if (UNLIKELY(top == magazine->limit))
        return false;
    *top = (struct slab_entry){.block = block, .tag = tag};
    magazine->top = top + 1;
    return true;
}

/* Takes a cached extent of the class, made live. Returns NULL if there is none. */
static inline struct extent *cache_pop_run(unsigned run_class)
{
    struct cache *cache = cache_current;
    struct extent *extent = cache->runs[run_class];
    if (extent == NULL)
        return NULL;
    cache->runs[run_class] = extent->as.block.next;
    cache->run_pages -= (uint32_t)extent->pages;
    cache->has_used_runs = true;
    extent_set_state(extent, EXTENT_LARGE);
    return extent;
}

/* Takes the cached mapping, made live, if it serves so many pages; else returns NULL. */
static inline struct extent *cache_pop_mapping(size_t pages)
{
    struct cache *cache = cache_current;
    struct extent *extent = cache->mapping;
    if (extent == NULL || !mapping_fits(extent, pages))
        return NULL;
    cache->mapping = NULL;
    cache->has_used_runs = true;
    extent_set_state(extent, EXTENT_MAPPING);
    return extent;
}

/* Keeps a mapping that was a live block. Returns false if it is too large, or another one is
 * kept. */
static inline bool cache_push_mapping(struct extent *extent)
{
    struct cache *cache = cache_current;
    if (cache->mapping != NULL || extent->pages > CACHED_MAPPING_PAGES_MAX || !cache_is_own())
        return false;
    extent_set_state(extent, EXTENT_CACHED_MAPPING);
    cache->mapping = extent;
    return true;
}

/* Keeps a large block that was live. Returns false if there is no room, or it has no class. */
static inline bool cache_push_run(struct extent *extent)
{
    struct cache *cache = cache_current;
    if (UNLIKELY(extent_state(extent) == EXTENT_MAPPING))
        return cache_push_mapping(extent);
    size_t pages = cache->run_pages + extent->pages;
    if (UNLIKELY(extent->run_class == RUN_CLASS_NONE || pages > cache->run_pages_max))
        return false;
    extent_set_state(extent, EXTENT_CACHED);
    extent->as.block.next = cache->runs[extent->run_class];
    cache->runs[extent->run_class] = extent;
    cache->run_pages = (uint32_t)pages;
    return true;
}

/* After cache_pop has failed: takes a block, and a batch for the next calls. Returns 0 or
 * ENOMEM. */
int cache_refill(struct anvil_heap *heap, unsigned class_index, struct slab_entry *ret_entry);
/* After cache_push has failed: makes room in the magazine, or puts the block back to its slab. */
void cache_spill(struct anvil_heap *heap, const struct slab *slab, char *block,
                 struct sync_tag *tag);
/* After cache_pop_run has failed. */
void cache_miss_run(unsigned run_class);
/* After cache_push_run has failed: makes room and keeps the extent. Returns false if it is not to
 * be kept. */
bool cache_spill_run(struct anvil_heap *heap, struct extent *extent);
/* Puts all blocks of the calling thread's cache back to their slabs, and gives up its room. Returns
 * whether there were any blocks. */
bool cache_flush(void);

/* Makes threads that end flush their caches; from a constructor on. */
void cache_start(void);
/* The heap starts over: every cache forgets what it has. No other thread may be using it. */
void cache_forget_all(void);
/* Before that: the calling thread has no cache any more, as if it had just begun. The heap may want
 * none when it is set up again. */
void cache_leave(void);
/* The lock of the list of all caches, for fork. */
extern struct sync_lock cache_list_lock;

#endif
