/* SPDX-License-Identifier: MIT */
/*
 * The slow paths of the magazines: refill and spill, the life of a cache, and what happens to it at
 * the end of its thread, in a forked child and when the heap starts over.
 *
 * Room: a magazine starts with 7 entries and doubles when it misses, up to 64 KiB of blocks or 63
 * entries: more save few batches, and the entries of many classes would cost a small process more
 * than its blocks. A refill takes one block at first and twice as many each time, up to half of the
 * room; a spill puts the older half back. Every so many batches, the magazines that have not moved
 * since the last look are emptied, and so are the lists of large blocks if none was taken from
 * them.
 *
 * Large blocks: a thread keeps 64 pages of them at first, and twice as much, up to 512, each time
 * it misses one of a length that it had to give up. When there is no room for the next, all kept
 * ones become free extents at once, and a resting mapping as well.
 *
 * The page of a cache is never given back, but serves the next thread. Entries lie in the heap's
 * metadata.
 *
 * Locks: cache_list_lock guards the list of caches; nothing is taken below it.
 */
#include "cache.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

enum {
    CAPACITY_MIN = 8, /* entries, the NULL included: powers of two */
    CAPACITY_MAX = 64,
    CACHED_BYTES_MAX = 64 * 1024, /* of one class */
    MOVES_PER_LOOK = 256,
    FREES_WITHOUT_CACHE = 16, /* a thread that hardly frees costs nothing */
    RUN_PAGES_FIRST = 64,     /* of large blocks */
    RUN_PAGES_LAST = 512,
};

#define OFFSET(bytes, before, first, later)                         \
    [(before) / SIZE_CLASS_STEP + 1 ...(bytes) / SIZE_CLASS_STEP] = \
        SIZE_CLASS_##bytes * SLAB_MAGAZINE_BYTES,
const uint16_t cache_offsets[] = {[0] = SIZE_CLASS_NOTHING * SLAB_MAGAZINE_BYTES,
                                  SIZE_CLASS_LIST(OFFSET)};
#undef OFFSET

/* The cache of a thread that has none: every pop and push fails. */
static const struct slab_entry no_entries[1];
#define NO_ROOM ((struct slab_entry *)&no_entries[1])
static const struct cache no_cache = {
    .magazines = {[0 ... SIZE_CLASS_COUNT - 1] = {.top = NO_ROOM, .limit = NO_ROOM}}};
#define CACHE_NONE ((struct cache *)&no_cache) /* nothing is ever written there */

_Thread_local struct cache *cache_current = CACHE_NONE;
static _Thread_local bool has_ended __attribute__((tls_model("initial-exec"))); /* gets none */
static _Thread_local unsigned frees_without_cache __attribute__((tls_model("initial-exec")));

struct sync_lock cache_list_lock;
static struct cache *all_caches;
static pthread_key_t thread_end_key;
static bool has_thread_end_key;

/* ---- room ---- */

static void magazine_reset(struct cache *cache, unsigned class_index)
{
    cache->magazines[class_index] = no_cache.magazines[class_index];
    cache->rooms[class_index] = (struct magazine_room){.batch = 1};
}

static unsigned capacity_limit(unsigned class_index)
{
    unsigned limit = CAPACITY_MIN;
    while (limit < CAPACITY_MAX && limit * size_classes[class_index].bytes < CACHED_BYTES_MAX)
        limit *= 2;
    return limit;
}

static struct slab_entry *entries_alloc(struct anvil_heap *heap, unsigned capacity)
{
    sync_lock_acquire(&heap->lock);
    struct slab_entry *entries = meta_alloc(&heap->meta, capacity * sizeof *entries);
    sync_lock_release(&heap->lock);
    return entries;
}

static void entries_free(struct anvil_heap *heap, struct slab_entry *entries, unsigned capacity)
{
    if (capacity == 0)
        return;
    sync_lock_acquire(&heap->lock);
    meta_free(&heap->meta, entries, capacity * sizeof *entries);
    sync_lock_release(&heap->lock);
}

/* Where the NULL is, if the magazine has room. */
static struct slab_entry *base_of(const struct cache *cache, unsigned class_index)
{
    return cache->magazines[class_index].limit - cache->rooms[class_index].capacity;
}

static unsigned count_of(const struct cache *cache, unsigned class_index)
{
    const struct slab_entry *base = base_of(cache, class_index);
    return cache->rooms[class_index].capacity == 0
               ? 0
               : (unsigned)(cache->magazines[class_index].top - base - 1);
}

/* Doubles the room, if there may be more. Returns whether it did. */
static bool magazine_grow(struct cache *cache, unsigned class_index)
{
    struct magazine_room *room = &cache->rooms[class_index];
    unsigned old = room->capacity, count = count_of(cache, class_index);
    unsigned capacity = old == 0 ? CAPACITY_MIN : old * 2;
    if (capacity > capacity_limit(class_index))
        return false;
    struct slab_entry *entries = entries_alloc(cache->heap, capacity);
    if (entries == NULL)
        return false;
    entries[0] = (struct slab_entry){NULL, NULL};
    struct slab_entry *gone = base_of(cache, class_index);
    memcpy(&entries[1], &gone[1], count * sizeof *entries);
    room->capacity = (uint8_t)capacity;
    cache->magazines[class_index] =
        (struct magazine){.top = entries + 1 + count, .limit = entries + capacity};
    entries_free(cache->heap, gone, old);
    return true;
}

/* ---- moving batches ---- */

static void put_back(struct anvil_heap *heap, unsigned class_index,
                     const struct slab_entry *entries, unsigned count)
{
    unsigned done = slabs_put(&heap->slabs, class_index, entries, count);
    if (LIKELY(done == count))
        return;
    struct fault fault = {.kind = FAULT_DOUBLE_FREE, .size = size_classes[class_index].bytes};
    panic_fault("free", entries[done].block, &fault);
}

/* Puts the oldest entries back. */
static void magazine_drain(struct cache *cache, unsigned class_index, unsigned count)
{
    if (count == 0)
        return;
    struct slab_entry *first = base_of(cache, class_index) + 1;
    unsigned rest = count_of(cache, class_index) - count;
    put_back(cache->heap, class_index, first, count);
    memmove(first, first + count, rest * sizeof *first);
    cache->magazines[class_index].top = first + rest;
}

/* Returns a bit for each run class of which there was any. */
static uint64_t runs_drain(struct cache *cache)
{
    uint64_t drained = 0;
    for (unsigned run_class = 0; cache->run_pages > 0; run_class++) {
        struct extent *first = cache->runs[run_class];
        if (first == NULL)
            continue;
        for (struct extent *extent = first; extent != NULL; extent = extent->as.block.next)
            cache->run_pages -= (uint32_t)extent->pages;
        cache->runs[run_class] = NULL;
        drained |= UINT64_C(1) << run_class;
        heap_put_runs(cache->heap, first);
    }
    return drained;
}

static bool mapping_drain(struct cache *cache)
{
    struct extent *extent = cache->mapping;
    if (extent == NULL)
        return false;
    cache->mapping = NULL;
    extent->as.block.next = NULL;
    heap_put_runs(cache->heap, extent);
    return true;
}

static void rest_look(struct cache *cache)
{
    if (++cache->moves % MOVES_PER_LOOK != 0)
        return;
    if (!cache->has_used_runs) {
        (void)runs_drain(cache);
        (void)mapping_drain(cache);
    }
    cache->has_used_runs = false;
    for (unsigned class_index = 0; class_index < SIZE_CLASS_COUNT; class_index++) {
        struct magazine_room *room = &cache->rooms[class_index];
        if (room->last_count == count_of(cache, class_index))
            magazine_drain(cache, class_index, room->last_count);
        room->last_count = (uint8_t)count_of(cache, class_index);
    }
}

/* ---- the life of a cache ---- */

static void cache_reset(struct cache *cache)
{
    for (unsigned class_index = 0; class_index < SIZE_CLASS_COUNT; class_index++)
        magazine_reset(cache, class_index);
    memset(cache->runs, 0, sizeof cache->runs);
    cache->run_pages = 0;
    cache->run_pages_max = RUN_PAGES_FIRST;
    cache->spilled_runs = 0;
    cache->moves = 0;
    cache->mapping = NULL;
}

static struct cache *cache_reuse(void)
{
    sync_lock_acquire(&cache_list_lock);
    struct cache *cache = all_caches;
    while (cache != NULL && cache->is_used)
        cache = cache->next;
    if (cache != NULL)
        cache->is_used = true;
    sync_lock_release(&cache_list_lock);
    return cache;
}

static struct cache *cache_make(struct anvil_heap *heap)
{
    char *page;
    sync_lock_acquire(&heap->lock);
    int error = pages_map_shared(&heap->pages, PAGE_BYTES, &page);
    sync_lock_release(&heap->lock);
    if (error != 0)
        return NULL;
    struct cache *cache = (struct cache *)page;
    cache->is_used = true;
    cache_reset(cache);
    sync_lock_acquire(&cache_list_lock);
    cache->next = all_caches;
    all_caches = cache;
    sync_lock_release(&cache_list_lock);
    return cache;
}

/* The calling thread's cache, made at its first use; NULL: it has none. */
static struct cache *cache_get(struct anvil_heap *heap)
{
    struct cache *cache = cache_current;
    if (has_ended || heap->options.uncached)
        return NULL;
    if (LIKELY(cache != CACHE_NONE))
        return cache;
    cache = cache_reuse();
    if (cache == NULL)
        cache = cache_make(heap);
    if (cache == NULL)
        return NULL;
    cache->heap = heap;
    cache->run_pages_max = RUN_PAGES_FIRST;
    cache->spilled_runs = 0;
    cache_current = cache;
    if (has_thread_end_key) /* may allocate: the cache is ready for it */
        (void)pthread_setspecific(thread_end_key, cache);
    return cache;
}

/* NULL as well while the thread has freed little. */
static struct cache *cache_for_free(struct anvil_heap *heap)
{
    bool is_early = cache_current == CACHE_NONE && frees_without_cache++ < FREES_WITHOUT_CACHE;
    return is_early ? NULL : cache_get(heap);
}

static bool cache_drain(struct cache *cache)
{
    bool is_any = runs_drain(cache) != 0;
    is_any |= mapping_drain(cache);
    for (unsigned class_index = 0; class_index < SIZE_CLASS_COUNT; class_index++) {
        unsigned count = count_of(cache, class_index);
        magazine_drain(cache, class_index, count);
        is_any |= count > 0;
    }
    return is_any;
}

/* The magazines are empty. */
static void rooms_give_up(struct cache *cache)
{
    for (unsigned class_index = 0; class_index < SIZE_CLASS_COUNT; class_index++) {
        struct slab_entry *base = base_of(cache, class_index);
        unsigned capacity = cache->rooms[class_index].capacity;
        magazine_reset(cache, class_index);
        entries_free(cache->heap, base, capacity);
    }
}

static void cache_give_up(struct cache *cache)
{
    rooms_give_up(cache);
    sync_lock_acquire(&cache_list_lock);
    cache->is_used = false;
    sync_lock_release(&cache_list_lock);
}

/* What this thread still frees after this, in other destructors, goes to the slabs one by one. */
static void cache_end(void *context)
{
    struct cache *cache = context;
    cache_current = CACHE_NONE;
    has_ended = true;
    (void)cache_drain(cache);
    cache_give_up(cache);
}

/* ---- for malloc.c ---- */

int cache_refill(struct anvil_heap *heap, unsigned class_index, struct slab_entry *ret_entry)
{
    unsigned count;
    struct cache *cache = cache_get(heap);
    struct magazine_room *room = cache == NULL ? NULL : &cache->rooms[class_index];
    if (room != NULL && room->batch * 2u >= room->capacity)
        (void)magazine_grow(cache, class_index);
    if (room == NULL || room->capacity == 0)
        return heap_take(heap, class_index, ret_entry, 1, &count);
    rest_look(cache);
    struct slab_entry *entries = base_of(cache, class_index) + 1;
    if (heap_take(heap, class_index, entries, room->batch, &count) != 0)
        return ENOMEM;
    room->batch = (uint8_t)size_min((size_t)room->batch * 2, room->capacity / 2u);
    *ret_entry = entries[count - 1];
    cache->magazines[class_index].top = entries + count - 1;
    return 0;
}

void cache_spill(struct anvil_heap *heap, const struct slab *slab, char *block,
                 struct sync_tag *tag)
{
    unsigned class_index = slab->class_index;
    struct cache *cache = cache_for_free(heap);
    if (cache != NULL && !magazine_grow(cache, class_index)) {
        rest_look(cache);
        magazine_drain(cache, class_index, (count_of(cache, class_index) + 1) / 2);
    }
    if (cache == NULL || !cache_push(slab, block, tag))
        put_back(heap, class_index, &(struct slab_entry){.block = block, .tag = tag}, 1);
}

void cache_miss_run(unsigned run_class)
{
    struct cache *cache = cache_current;
    uint64_t bit = UINT64_C(1) << run_class;
    if (LIKELY((cache->spilled_runs & bit) == 0))
        return;
    cache->spilled_runs &= ~bit;
    cache->run_pages_max = (uint32_t)size_min((size_t)cache->run_pages_max * 2, RUN_PAGES_LAST);
}

bool cache_spill_run(struct anvil_heap *heap, struct extent *extent)
{
    bool is_mapping = extent_state(extent) == EXTENT_MAPPING;
    if (extent->run_class == RUN_CLASS_NONE && !is_mapping)
        return false;
    struct cache *cache = cache_for_free(heap);
    if (cache == NULL || is_mapping)
        return cache != NULL && cache_push_mapping(extent);
    if (extent->pages > cache->run_pages_max) {
        cache->spilled_runs |= UINT64_C(1) << extent->run_class;
        return false;
    }
    if (cache->run_pages + extent->pages > cache->run_pages_max) {
        cache->spilled_runs |= runs_drain(cache);
        (void)mapping_drain(cache);
    }
    return cache_push_run(extent);
}

bool cache_flush(void)
{
    struct cache *cache = cache_current;
    if (cache == CACHE_NONE)
        return false;
    bool is_any = cache_drain(cache);
    rooms_give_up(cache);
    return is_any;
}

void cache_start(void)
{
    has_thread_end_key = pthread_key_create(&thread_end_key, cache_end) == 0;
    if (has_thread_end_key && cache_current != CACHE_NONE)
        (void)pthread_setspecific(thread_end_key, cache_current);
}

void cache_leave(void)
{
    struct cache *cache = cache_current;
    frees_without_cache = 0;
    if (cache == CACHE_NONE)
        return;
    cache_current = CACHE_NONE;
    if (has_thread_end_key)
        (void)pthread_setspecific(thread_end_key, NULL);
    sync_lock_acquire(&cache_list_lock);
    cache->is_used = false;
    sync_lock_release(&cache_list_lock);
}

void cache_forget_all(void)
{
    for (struct cache *cache = all_caches; cache != NULL; cache = cache->next)
        cache_reset(cache);
}
