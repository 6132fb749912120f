/* SPDX-License-Identifier: MIT */
/*
 * A heap: allocating and freeing (the route by size, the counts, what is tried before a request
 * fails), finding what a pointer stands for, and resizing.
 *
 * Allocating: a request that finds no memory makes the heap release what it keeps for speed (empty
 * slabs, kept mappings, free extents), once, and then tries again. So a block that fitted
 * before fits again when everything has been freed.
 *
 * Finding: the straight path is one look-up in the pagemap and one in the descriptor. heap_diagnose
 * runs once in the life of a process and may be slow. Memory at the pointer is never read; a
 * pagemap word of another heap is compared, not followed.
 *
 * Resizing without copying:
 *  - a small block stays while its size is at least half of its class;
 *  - an extent shrinks by freeing its tail, and grows into a free right neighbour, which at the top
 *    of a contiguous source can be made;
 *  - a mapping is resized, or moved by its page tables; small steps get an eighth more, so that
 *    appending does not move the block each time.
 */
#include "heap.h"

#include <errno.h>
#include <string.h>
#include <sys/auxv.h>

enum {
    /* An alignment of this many mmap thresholds gets a mapping of its own whatever the size: the
     * pages skipped for it go back before the pagemap learns of them. An extent would enter
     * gigabytes, and the pagemap's nodes would stay at every place where they ever lay. */
    ALIGNMENT_SHARE = 16,
    APPEND_SHARE = 8, /* a growing mapping gets this share more */
    REACH = 256,      /* a request of more than so many heaps is not worth giving anything up */
};
/* No user address space is larger, so a larger request need not be tried. */
#define ADDRESS_SPACE ((size_t)1 << 47)

static void set_mmap_threshold(struct anvil_heap *heap, size_t threshold)
{
    size_t limit = heap->pages.ops->has_mappings && threshold > 0 ? threshold - 1 : SIZE_MAX;
    heap->options.mmap_threshold = threshold;
    sync_tag_write(&heap->small_max, (uint32_t)size_min(limit, SIZE_CLASS_BYTES_MAX));
}

/* The kernel gives each process 16 random bytes. A heap in an arena must repeat itself exactly. */
static uint64_t secret_of_process(const struct pages *pages)
{
    uint64_t secret = UINT64_C(0x5bd1e9955bd1e995);
    const void *random = (const void *)getauxval(AT_RANDOM);
    if (pages->ops->is_system && random != NULL)
        memcpy(&secret, random, sizeof secret);
    return secret;
}

static void init_hardening(struct anvil_heap *heap)
{
    const struct anvil_options *options = &heap->options;
    heap->is_hardened = options->canary || options->zero || options->quarantine != 0 ||
                        options->random || options->form;
    if (!heap->is_hardened)
        return;
    heap->secret = secret_of_process(&heap->pages);
    heap->quarantine.random = heap->secret | 1;
}

void heap_init(struct anvil_heap *heap, unsigned id, const struct anvil_options *options,
               const struct pages *pages, size_t own_length)
{
    ASSERT(id != 0 && id <= PAGEMAP_OWNER_MAX);
    heap->id = id;
    heap->options = *options;
    heap->pages = heap->fresh_pages = *pages;
    heap->own_length = own_length;
    meta_init(&heap->meta, &heap->pages);
    extents_init(&heap->extents, &heap->pages, &heap->meta, id, options);
    slabs_init(&heap->slabs, &heap->extents, &heap->lock);
    heap->slabs.wants_guards = options->guard;
    set_mmap_threshold(heap, options->mmap_threshold);
    init_hardening(heap);
}

COLD void heap_set_mmap_threshold(struct anvil_heap *heap, size_t threshold)
{
    sync_lock_acquire(&heap->lock);
    set_mmap_threshold(heap, threshold);
    sync_lock_release(&heap->lock);
}

void heap_destroy(struct anvil_heap *heap)
{
    ASSERT(sync_lock_is_held(&heap->lock)); /* or fork copies half a heap */
    heap->pages.refuse_in = 0;
    extents_destroy(&heap->extents);
    meta_destroy(&heap->meta, !heap->pages.ops->is_system);
    /* Here and not in heap_init, so that a new heap leaves their pages untouched. */
    memset(heap->gone, 0, sizeof heap->gone);
    heap->gone_next = 0;
    heap->quarantine.oldest = heap->quarantine.count = 0;
    heap->quarantine.bytes = 0;
    heap->quarantine.newest.start = NULL;
}

void heap_for_each_lock(struct anvil_heap *heap, void (*act)(struct sync_lock *lock))
{
    act(&heap->quarantine.lock);
    act(&heap->slabs.spans.lock);
    for (unsigned i = 0; i < SLAB_LOCKS; i++)
        act(&heap->slabs.locks[i]);
    act(&heap->lock);
}

COLD void heap_lock(struct anvil_heap *heap)
{
    heap_for_each_lock(heap, sync_lock_acquire);
}

COLD void heap_unlock(struct anvil_heap *heap)
{
    heap_for_each_lock(heap, sync_lock_release);
}

void heap_turn_locks_off(struct anvil_heap *heap)
{
    heap_for_each_lock(heap, sync_lock_turn_off);
}

/* ---- allocating ---- */

/* Under the heap's lock. */
static bool release_pages(struct anvil_heap *heap, size_t keep)
{
    size_t released = mappings_release(&heap->extents);
    released += extents_release(&heap->extents, keep);
    return released > 0;
}

COLD bool heap_trim(struct anvil_heap *heap, size_t keep)
{
    (void)slabs_release_spans(&heap->slabs);
    (void)slabs_release(&heap->slabs);
    sync_lock_acquire(&heap->lock);
    bool is_any = release_pages(heap, keep);
    if (heap->pages.ops->is_system)
        is_any |= meta_release(&heap->meta) > 0;
    sync_lock_release(&heap->lock);
    return is_any;
}

/*
 * Returns whether trying again makes sense. Emptying the top of an arena costs a memset and helps
 * only when descriptors ran short; where even that makes no room for them, they get a free extent.
 */
static COLD bool reclaim(struct anvil_heap *heap)
{
    bool has_emptied = slabs_release_spans(&heap->slabs), has_trimmed = false, has_fed = false;
    has_emptied |= slabs_release(&heap->slabs);
    sync_lock_acquire(&heap->lock);
    bool is_short = heap->meta.missing != 0;
    if (heap->pages.ops->is_system || is_short) {
        has_trimmed = release_pages(heap, 0);
        has_fed = is_short && (meta_retry(&heap->meta) == 0 || extents_feed_meta(&heap->extents));
    }
    sync_lock_release(&heap->lock);
    return has_emptied || has_trimmed || has_fed;
}

/* Do threads keep blocks of this heap for themselves? */
static bool has_caches(const struct anvil_heap *heap)
{
    return heap->id == PAGEMAP_OWNER_DEFAULT && !heap->options.uncached;
}

/* The pages of an extent for so many bytes: what a thread keeps fits several sizes. */
static size_t pages_for_block(const struct anvil_heap *heap, size_t size)
{
    size_t pages = pages_for_size(size);
    return has_caches(heap) && run_class_serves(pages) ? run_class_round_up(pages) : pages;
}

static void classify(const struct anvil_heap *heap, struct extent *extent)
{
    size_t pages = extent->pages;
    bool is_run = has_caches(heap) && extent_state(extent) == EXTENT_LARGE &&
                  run_class_serves(pages) && run_class_round_up(pages) == pages;
    extent->run_class = (uint8_t)(is_run ? run_class_of(pages) : (unsigned)RUN_CLASS_NONE);
}

static int alloc_extent(struct anvil_heap *heap, size_t size, size_t alignment,
                        struct extent **ret_extent)
{
    size_t threshold = heap->options.mmap_threshold;
    bool is_far = alignment / ALIGNMENT_SHARE >= threshold, is_apart = is_far || size >= threshold;
    if (is_apart && heap->pages.ops->has_mappings) {
        if (mapping_alloc(&heap->extents, pages_for_size(size), alignment, ret_extent) == 0)
            return 0;
        if (is_far)
            return ENOMEM;
    }
    return extent_alloc(&heap->extents, pages_for_block(heap, size), alignment, ret_extent);
}

static int alloc_large(struct anvil_heap *heap, size_t size, size_t alignment,
                       unsigned request_code, struct heap_fresh *ret_fresh)
{
    struct extent *extent;
    sync_lock_acquire(&heap->lock);
    int error = alloc_extent(heap, size, alignment, &extent);
    if (error == 0) {
        *ret_fresh = (struct heap_fresh){.start = extent->start, .dirty = extent->dirty};
        extent->dirty = extent_length(extent);
        extent->request_code = (uint8_t)request_code;
        extent_set_size(extent, size);
        classify(heap, extent);
    }
    sync_lock_release(&heap->lock);
    return error;
}

int heap_take(struct anvil_heap *heap, unsigned class_index, struct slab_entry *entries,
              unsigned wanted, unsigned *ret_count)
{
    if (LIKELY(slabs_take(&heap->slabs, class_index, entries, wanted, ret_count) == 0))
        return 0;
    return reclaim(heap) ? slabs_take(&heap->slabs, class_index, entries, 1, ret_count) : ENOMEM;
}

static int alloc_small(struct anvil_heap *heap, size_t size, size_t alignment,
                       unsigned request_code, struct heap_fresh *ret_fresh)
{
    struct slab_entry entry;
    unsigned count;
    if (heap_take(heap, size_class_of_aligned(size, alignment), &entry, 1, &count) != 0)
        return ENOMEM;
    bool is_zero = (sync_tag_read(entry.tag) & SLAB_TAG_ZERO) != 0;
    sync_tag_write(entry.tag, slab_tag_live(size, request_code));
    *ret_fresh = (struct heap_fresh){.start = entry.block, .dirty = is_zero ? 0 : size};
    return 0;
}

static bool is_hopeless(const struct anvil_heap *heap, size_t size, size_t alignment)
{
    const struct pages *pages = &heap->fresh_pages; /* what it says of the arena never changes */
    size_t limit = pages->ops->is_system ? ADDRESS_SPACE : (size_t)(pages->end - pages->low);
    return size > limit || alignment > limit;
}

/* Could what the heap gives up make room for so much? A request far beyond all that the heap has
 * fails at once, and costs no other request its free memory. */
static bool is_within_reach(struct anvil_heap *heap, size_t size)
{
    sync_lock_acquire(&heap->lock);
    bool is_near = size / REACH <= heap->pages.held;
    sync_lock_release(&heap->lock);
    return is_near;
}

int heap_alloc(struct anvil_heap *heap, size_t size, size_t alignment, unsigned request_code,
               struct heap_fresh *ret_fresh)
{
    ASSERT(size <= SIZE_LIMIT && alignment >= BLOCK_ALIGNMENT);
    int error;
    if (LIKELY(heap_serves_small(heap, size, alignment)))
        error = alloc_small(heap, size, alignment, request_code, ret_fresh);
    else if (is_hopeless(heap, size, alignment))
        error = ENOMEM;
    else if ((error = alloc_large(heap, size, alignment, request_code, ret_fresh)) != 0 &&
             is_within_reach(heap, size) && reclaim(heap))
        error = alloc_large(heap, size, alignment, request_code, ret_fresh);
    ASSERT(error != 0 || is_aligned(ret_fresh->start, alignment));
    return error;
}

/* ---- freeing ---- */

static void remember_gone(struct anvil_heap *heap, const char *start, size_t size)
{
    heap->gone[heap->gone_next++ % HEAP_GONE_COUNT] =
        (struct heap_gone){.start = start, .size = size};
}

static bool is_large_block(const struct extent *extent, const void *pointer)
{
    return extent != NULL && extent->start == pointer &&
           (extent_state(extent) == EXTENT_LARGE || extent_state(extent) == EXTENT_MAPPING);
}

/* Under the heap's lock. */
static void free_extent(struct anvil_heap *heap, struct extent *extent)
{
    remember_gone(heap, extent->start, extent_size(extent));
    if (extent_state(extent) == EXTENT_MAPPING || extent_state(extent) == EXTENT_CACHED_MAPPING)
        mapping_free(&heap->extents, extent);
    else
        extent_free(&heap->extents, extent);
}

static bool free_large(struct anvil_heap *heap, const char *start)
{
    sync_lock_acquire(&heap->lock);
    struct extent *extent = pagemap_extent_of(pagemap_get_start(start), heap->id);
    bool is_live = is_large_block(extent, start);
    if (is_live)
        free_extent(heap, extent);
    sync_lock_release(&heap->lock);
    return is_live;
}

void heap_put_runs(struct anvil_heap *heap, struct extent *first)
{
    ASSERT(first != NULL);
    sync_lock_acquire(&heap->lock);
    for (struct extent *extent = first, *next; extent != NULL; extent = next) {
        ASSERT(extent_state(extent) == EXTENT_CACHED ||
               extent_state(extent) == EXTENT_CACHED_MAPPING);
        next = extent->as.block.next;
        free_extent(heap, extent);
    }
    sync_lock_release(&heap->lock);
}

bool heap_free(struct anvil_heap *heap, const struct heap_block *block)
{
    if (block->slab == NULL)
        return free_large(heap, block->start);
    if (block->span_blocks != 0)
        return slabs_put_span(&heap->slabs, block->slab, block->tag);
    struct slab_entry entry = {.block = block->start, .tag = block->tag};
    sync_tag_write(block->tag, SLAB_TAG_TAKEN);
    return slabs_put(&heap->slabs, block->slab->class_index, &entry, 1) == 1;
}

/* ---- finding ---- */

/* The extent that covers an address without being recorded for its page: the inside of a large
 * one. */
static const struct extent *find_covering(const struct anvil_heap *heap, const char *pointer)
{
    const struct extent *extent = extent_at(&heap->extents.list, pointer);
    if (extent != NULL)
        return extent;
    for (extent = heap->extents.list.first; extent != NULL; extent = extent->next)
        if (pointer >= extent->start && pointer < extent_end(extent))
            return extent;
    return NULL;
}

/* The latest large block that was freed there, or NULL. */
static const struct heap_gone *find_gone(const struct anvil_heap *heap, const char *pointer)
{
    for (unsigned age = 1; age <= HEAP_GONE_COUNT; age++) {
        const struct heap_gone *gone = &heap->gone[(heap->gone_next - age) % HEAP_GONE_COUNT];
        if (gone->start == pointer)
            return gone;
    }
    return NULL;
}

static struct fault diagnose(const struct anvil_heap *heap, const char *pointer)
{
    const struct extent *extent = find_covering(heap, pointer);
    enum extent_state state = extent == NULL ? EXTENT_FREE : extent_state(extent);
    bool is_cached = state == EXTENT_CACHED || state == EXTENT_CACHED_MAPPING;
    bool is_unused = is_cached || state == EXTENT_FREE || state == EXTENT_KEPT;
    const struct heap_gone *gone = is_unused ? find_gone(heap, pointer) : NULL;
    unsigned owner = pagemap_owner(pointer);
    if (extent == NULL && owner != 0 && owner != heap->id)
        return (struct fault){.kind = FAULT_OTHER_HEAP};
    if (is_cached && pointer == extent->start)
        return (struct fault){.kind = FAULT_DOUBLE_FREE, .size = extent_size(extent)};
    if (gone != NULL)
        return (struct fault){.kind = FAULT_DOUBLE_FREE, .size = gone->size};
    if (extent == NULL)
        return (struct fault){.kind = FAULT_FOREIGN};
    if (state == EXTENT_SLAB)
        return slab_diagnose(extent->as.slab, pointer);
    if ((uintptr_t)pointer % BLOCK_ALIGNMENT != 0)
        return (struct fault){.kind = FAULT_MISALIGNED};
    if (!is_unused)
        return (struct fault){.kind = FAULT_INTERIOR, .size = extent_size(extent)};
    if (pointer < extent->start + extent->dirty)
        return (struct fault){.kind = FAULT_DOUBLE_FREE_GONE};
    return (struct fault){.kind = FAULT_NOT_ALLOCATED};
}

COLD struct fault heap_diagnose(struct anvil_heap *heap, const void *pointer)
{
    heap_lock(heap);
    struct fault fault = diagnose(heap, pointer);
    heap_unlock(heap);
    return fault;
}

static bool describe_small(struct slab *slab, const void *pointer, struct heap_block *ret_block)
{
    struct sync_tag *tag = slab_tag_at(slab, pointer);
    uint32_t value = tag == NULL ? SLAB_TAG_NONE : sync_tag_read(tag);
    ret_block->span_blocks = slab_tag_is_span(value) ? slab_tag_span_blocks(value) : 0;
    if (UNLIKELY(!slab_tag_is_live(value) && ret_block->span_blocks == 0))
        return false;
    ret_block->slab = slab;
    ret_block->tag = tag;
    ret_block->extent = NULL;
    ret_block->start = slab->start + (size_t)(tag - slab->tags) * slab->block_size;
    ret_block->size = slab_tag_size(value);
    ret_block->capacity = slab->usable;
    ret_block->request_code = slab_tag_request_code(value);
    if (UNLIKELY(ret_block->span_blocks != 0)) {
        ret_block->capacity = ret_block->span_blocks * (size_t)slab->block_size;
        ret_block->request_code = 0;
    }
    return true;
}

bool heap_find(const struct anvil_heap *heap, const void *pointer, struct heap_block *ret_block)
{
    pagemap_word word = pagemap_get_start(pointer);
    struct slab *slab = pagemap_slab_of(word, heap->id);
    if (LIKELY(slab != NULL))
        return describe_small(slab, pointer, ret_block);
    struct extent *extent = pagemap_extent_of(word, heap->id);
    if (!is_large_block(extent, pointer))
        return false;
    *ret_block = (struct heap_block){.extent = extent,
                                     .start = extent->start,
                                     .size = extent_size(extent),
                                     .capacity = extent_length(extent),
                                     .request_code = extent->request_code};
    return true;
}

/* ---- resizing ---- */

/* A block stays while its new size is at least half of what it occupies. */
static enum heap_resized resize_small(const struct heap_block *block, size_t size, bool must_stay)
{
    bool fits = size <= block->capacity;
    bool is_close = size * 2 >= block->capacity || size == block->size;
    if (!fits || !(is_close || must_stay))
        return HEAP_MUST_MOVE;
    sync_tag_write(block->tag, block->span_blocks != 0 ? slab_tag_span(block->span_blocks, size)
                                                       : slab_tag_live(size, 0));
    return HEAP_RESIZED;
}

static void set_request(struct extent *extent, size_t size)
{
    ASSERT(size <= extent_length(extent));
    extent_set_size(extent, size);
    extent->request_code = 0;
}

/* The pages stay the same, and so this concerns nobody but the block's owner. */
static bool resize_within_pages(const struct anvil_heap *heap, struct extent *extent, size_t size)
{
    if (extent_state(extent) != EXTENT_LARGE || size <= SIZE_CLASS_BYTES_MAX ||
        pages_for_block(heap, size) != extent->pages)
        return false;
    set_request(extent, size);
    return true;
}

static enum heap_resized resize_extent(struct anvil_heap *heap, const struct heap_block *block,
                                       size_t size, bool must_stay)
{
    struct extent *extent = block->extent;
    size_t pages = pages_for_block(heap, size);
    if (size <= SIZE_CLASS_BYTES_MAX && !must_stay)
        return HEAP_MUST_MOVE;
    if (pages > extent->pages && !extent_grow(&heap->extents, extent, pages))
        return HEAP_MUST_MOVE;
    if (pages < extent->pages)
        (void)extent_shrink(&heap->extents, extent, pages); /* if not, it keeps its tail */
    classify(heap, extent);
    set_request(extent, size);
    return HEAP_RESIZED;
}

static bool resize_pages(struct anvil_heap *heap, struct extent *extent, size_t pages)
{
    size_t ample = pages + pages / APPEND_SHARE;
    bool is_step = pages > extent->pages && ample > extent->pages &&
                   pages - extent->pages < pages / APPEND_SHARE;
    if (pages == extent->pages || (is_step && mapping_resize(&heap->extents, extent, ample) == 0))
        return true;
    return mapping_resize(&heap->extents, extent, pages) == 0;
}

static enum heap_resized resize_mapping(struct anvil_heap *heap, const struct heap_block *block,
                                        size_t size, bool must_stay)
{
    struct extent *extent = block->extent;
    size_t pages = pages_for_size(size);
    bool is_much_smaller = size < heap->options.mmap_threshold / 2;
    bool has_room = pages <= extent->pages;
    bool is_close =
        has_room && extent->pages - pages <= extent->pages / APPEND_SHARE && size >= block->size;
    if (is_much_smaller && !must_stay && size != block->size)
        return HEAP_MUST_MOVE;
    if (!is_close && !resize_pages(heap, extent, pages) && !has_room)
        return HEAP_MUST_MOVE;
    extent->dirty = extent_length(extent);
    set_request(extent, size);
    if (extent->start != block->start)
        remember_gone(heap, block->start, block->size);
    return HEAP_RESIZED;
}

enum heap_resized heap_resize(struct anvil_heap *heap, const struct heap_block *block, size_t size,
                              bool must_stay, char **ret_start)
{
    enum heap_resized result;
    ASSERT(size > 0 && size <= SIZE_LIMIT);
    if (block->slab != NULL) {
        result = resize_small(block, size, must_stay);
        *ret_start = block->start;
        return result;
    }
    if (LIKELY(resize_within_pages(heap, block->extent, size))) {
        *ret_start = block->start;
        return HEAP_RESIZED;
    }
    sync_lock_acquire(&heap->lock);
    result = extent_state(block->extent) == EXTENT_LARGE
                 ? resize_extent(heap, block, size, must_stay)
                 : resize_mapping(heap, block, size, must_stay);
    ASSERT(result == HEAP_RESIZED || !must_stay || size > block->capacity);
    *ret_start = block->extent->start;
    sync_lock_release(&heap->lock);
    return result;
}
