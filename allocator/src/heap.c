/* SPDX-License-Identifier: MIT */
/*
 * A heap: allocating and freeing (the route by size, the counts, what is tried before a request
 * fails), finding what a pointer stands for, and resizing.
 *
 * Allocating: a request that finds no memory makes the heap release what it keeps for speed (empty
 * slabs, mappings pending unmap, free extents), once, and then tries again. So a block that fitted
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

enum {
    /* An alignment of this many mmap thresholds gets a mapping of its own whatever the size: the
     * pages skipped for it go back before the pagemap learns of them. An extent would enter
     * gigabytes, and the pagemap's nodes would stay at every place where they ever lay. */
    ALIGNMENT_SHARE = 16,
    APPEND_SHARE = 8, /* a growing mapping gets this share more */
};
/* No user address space is larger, so a larger request need not be tried. */
#define ADDRESS_SPACE ((size_t)1 << 47)

void heap_init(struct anvil_heap *heap, unsigned id, const struct anvil_options *options,
               const struct pages *pages, size_t own_length)
{
    ASSERT(id != 0 && id <= PAGEMAP_OWNER_MAX);
    heap->id = id;
    heap->options = *options;
    heap->pages = heap->fresh_pages = *pages;
    heap->own_length = own_length;
    heap->live_blocks = heap->live_size = heap->live_capacity = 0;
    memset(heap->gone, 0, sizeof heap->gone);
    heap->gone_next = 0;
    meta_init(&heap->meta, &heap->pages);
    extents_init(&heap->extents, &heap->pages, &heap->meta, id, options);
    slabs_init(&heap->slabs, &heap->extents);
}

void heap_destroy(struct anvil_heap *heap)
{
    ASSERT(sync_lock_is_held(&heap->lock)); /* or fork copies half a heap */
    heap->pages.refuse_in = 0;
    extents_destroy(&heap->extents);
    meta_destroy(&heap->meta, !heap->pages.ops->is_system);
}

bool heap_trim(struct anvil_heap *heap, size_t keep)
{
    ASSERT(sync_lock_is_held(&heap->lock));
    size_t released = mappings_retry(&heap->extents);
    (void)slabs_release(&heap->slabs);
    released += extents_release(&heap->extents, keep);
    return released > 0;
}

/*
 * Returns whether trying again makes sense. Emptying the top of an arena costs a memset and helps
 * only when descriptors ran short; where even that makes no room for them, they get a free extent.
 */
static bool reclaim(struct anvil_heap *heap)
{
    bool has_emptied = slabs_release(&heap->slabs), is_short = heap->meta.missing != 0;
    if (!heap->pages.ops->is_system && !is_short)
        return has_emptied;
    bool has_trimmed = heap_trim(heap, 0);
    bool has_fed = is_short && (meta_retry(&heap->meta) == 0 || extents_feed_meta(&heap->extents));
    return has_emptied || has_trimmed || has_fed;
}

static int alloc_extent(struct anvil_heap *heap, size_t size, size_t alignment,
                        struct extent **ret_extent)
{
    size_t pages = pages_for_size(size), threshold = heap->options.mmap_threshold;
    bool is_far = alignment / ALIGNMENT_SHARE >= threshold, is_apart = is_far || size >= threshold;
    if (is_apart && heap->pages.ops->has_mappings) {
        if (mapping_alloc(&heap->extents, pages, alignment, ret_extent) == 0)
            return 0;
        if (is_far)
            return ENOMEM;
    }
    return extent_alloc(&heap->extents, pages, alignment, ret_extent);
}

static int alloc_large(struct anvil_heap *heap, size_t size, size_t alignment,
                       unsigned alignment_code, struct heap_fresh *ret_fresh)
{
    struct extent *extent;
    if (alloc_extent(heap, size, alignment, &extent) != 0)
        return ENOMEM;
    *ret_fresh = (struct heap_fresh){.start = extent->start, .dirty = extent->dirty};
    extent->dirty = extent_length(extent);
    extent->alignment_code = (uint8_t)alignment_code;
    extent->as.block.size = size;
    heap->live_capacity += extent_length(extent);
    return 0;
}

static int alloc_small(struct anvil_heap *heap, size_t size, size_t alignment,
                       unsigned alignment_code, struct heap_fresh *ret_fresh)
{
    unsigned class_index = slab_class_of(size, alignment);
    struct slab_block block;
    if (UNLIKELY(slab_alloc(&heap->slabs, class_index, size, alignment_code, &block) != 0))
        return ENOMEM;
    *ret_fresh = (struct heap_fresh){.start = block.start, .dirty = block.is_zero ? 0 : size};
    heap->live_capacity += slab_sizes[class_index].bytes;
    return 0;
}

static bool is_hopeless(const struct anvil_heap *heap, size_t size, size_t alignment)
{
    size_t limit =
        heap->pages.ops->is_system ? ADDRESS_SPACE : (size_t)(heap->pages.end - heap->pages.low);
    return size > limit || alignment > limit;
}

int heap_alloc(struct anvil_heap *heap, size_t size, size_t alignment, unsigned alignment_code,
               struct heap_fresh *ret_fresh)
{
    ASSERT(sync_lock_is_held(&heap->lock));
    ASSERT(size <= SIZE_LIMIT && alignment >= BLOCK_ALIGNMENT);
    bool is_small = size <= ANVIL_SMALL_MAX && alignment <= ANVIL_SMALL_MAX;
    int error = ENOMEM;
    if (LIKELY(is_small))
        error = alloc_small(heap, size, alignment, alignment_code, ret_fresh);
    else if (!is_hopeless(heap, size, alignment))
        error = alloc_large(heap, size, alignment, alignment_code, ret_fresh);
    if (UNLIKELY(error != 0)) {
        if (is_hopeless(heap, size, alignment) || !reclaim(heap))
            return error;
        error = is_small ? alloc_small(heap, size, alignment, alignment_code, ret_fresh)
                         : alloc_large(heap, size, alignment, alignment_code, ret_fresh);
        if (error != 0)
            return error;
    }
    ASSERT(is_aligned(ret_fresh->start, alignment));
    heap->live_blocks++;
    heap->live_size += size;
    return 0;
}

static void remember_gone(struct anvil_heap *heap, const struct heap_block *block)
{
    heap->gone[heap->gone_next++ % HEAP_GONE_COUNT] =
        (struct heap_gone){.start = block->start, .size = block->size};
}

void heap_free(struct anvil_heap *heap, const struct heap_block *block)
{
    struct extent *extent = block->extent;
    ASSERT(sync_lock_is_held(&heap->lock));
    ASSERT(heap->live_blocks > 0 && block->size <= block->capacity);
    heap->live_blocks--;
    heap->live_size -= block->size;
    heap->live_capacity -= block->capacity;
    if (LIKELY(extent->state == EXTENT_SLAB)) {
        slab_free(&heap->slabs, extent, block->index);
    } else if (extent->state == EXTENT_LARGE) {
        extent_free(&heap->extents, extent);
    } else {
        remember_gone(heap, block);
        mapping_free(&heap->extents, extent);
    }
}

/* ---- finding ---- */

/* The extent that covers an address without being recorded for its page: the inside of a large
 * one. */
static const struct extent *find_covering(const struct anvil_heap *heap, const char *pointer)
{
    const struct extent *extent = pagemap_get(pointer, heap->id);
    if (extent != NULL)
        return extent;
    for (extent = heap->extents.first; extent != NULL; extent = extent->next)
        if (pointer >= extent->start && pointer < extent_end(extent))
            return extent;
    return NULL;
}

static struct fault diagnose_outside(const struct anvil_heap *heap, const char *pointer)
{
    if (pagemap_owner(pointer) != 0)
        return (struct fault){.kind = FAULT_OTHER_HEAP};
    for (unsigned i = 0; i < HEAP_GONE_COUNT; i++)
        if (heap->gone[i].start == pointer)
            return (struct fault){.kind = FAULT_DOUBLE_FREE, .size = heap->gone[i].size};
    return (struct fault){.kind = FAULT_FOREIGN};
}

COLD struct fault heap_diagnose(const struct anvil_heap *heap, const void *address)
{
    const char *pointer = address;
    const struct extent *extent = find_covering(heap, pointer);
    if (extent == NULL)
        return diagnose_outside(heap, pointer);
    if (extent->state == EXTENT_SLAB)
        return slab_diagnose(extent, pointer);
    if ((uintptr_t)pointer % BLOCK_ALIGNMENT != 0)
        return (struct fault){.kind = FAULT_MISALIGNED};
    if (extent->state == EXTENT_LARGE || extent->state == EXTENT_MAPPING)
        return (struct fault){.kind = FAULT_INTERIOR, .size = extent->as.block.size};
    if (pointer < extent->start + extent->dirty)
        return (struct fault){.kind = FAULT_DOUBLE_FREE_GONE};
    return (struct fault){.kind = FAULT_NEVER_ALLOCATED};
}

static void describe_small(struct extent *extent, unsigned index, struct heap_block *ret_block)
{
    ret_block->extent = extent;
    ret_block->start = slab_block_start(extent, index);
    ret_block->size = slab_block_size(extent, index);
    ret_block->capacity = slab_of(extent)->block_size;
    ret_block->index = index;
    ret_block->alignment_code = slab_block_alignment_code(extent, index);
}

static void describe_large(struct extent *extent, struct heap_block *ret_block)
{
    ret_block->extent = extent;
    ret_block->start = extent->start;
    ret_block->size = extent->as.block.size;
    ret_block->capacity = extent_length(extent);
    ret_block->index = 0;
    ret_block->alignment_code = extent->alignment_code;
}

bool heap_find(struct anvil_heap *heap, const void *pointer, struct heap_block *ret_block)
{
    ASSERT(sync_lock_is_held(&heap->lock));
    struct extent *extent = pagemap_get(pointer, heap->id);
    if (UNLIKELY(extent == NULL))
        return false;
    if (LIKELY(extent->state == EXTENT_SLAB)) {
        unsigned index = slab_find(extent, pointer);
        if (UNLIKELY(index == SLAB_NO_BLOCK))
            return false;
        describe_small(extent, index, ret_block);
        return true;
    }
    if (extent->start != pointer ||
        (extent->state != EXTENT_LARGE && extent->state != EXTENT_MAPPING))
        return false;
    describe_large(extent, ret_block);
    return true;
}

size_t heap_capacity_of(struct anvil_heap *heap, const void *pointer)
{
    const struct extent *extent = pagemap_get(pointer, heap->id);
    if (LIKELY(extent != NULL && extent->state == EXTENT_SLAB))
        return slab_find(extent, pointer) != SLAB_NO_BLOCK ? slab_of_const(extent)->block_size : 0;
    struct heap_block block;
    return heap_find(heap, pointer, &block) ? block.capacity : 0;
}

/* ---- resizing ---- */

static void set_request(struct anvil_heap *heap, const struct heap_block *block, size_t size)
{
    heap->live_size += size - block->size;
    ASSERT(size <= extent_length(block->extent));
    block->extent->as.block.size = size;
    block->extent->alignment_code = 0;
}

static enum heap_resized resize_small(struct anvil_heap *heap, const struct heap_block *block,
                                      size_t size, bool must_stay)
{
    bool fits = size <= block->capacity;
    bool is_close = size * 2 >= block->capacity || size == block->size;
    if (!fits || !(is_close || must_stay))
        return HEAP_MUST_MOVE;
    slab_block_resize(block->extent, block->index, size);
    heap->live_size += size - block->size;
    return HEAP_RESIZED;
}

static enum heap_resized resize_extent(struct anvil_heap *heap, const struct heap_block *block,
                                       size_t size, bool must_stay)
{
    struct extent *extent = block->extent;
    size_t pages = pages_for_size(size);
    if (size <= ANVIL_SMALL_MAX && !must_stay)
        return HEAP_MUST_MOVE;
    if (pages > extent->pages && !extent_grow(&heap->extents, extent, pages))
        return HEAP_MUST_MOVE;
    if (pages < extent->pages)
        (void)extent_shrink(&heap->extents, extent, pages); /* if not, it keeps its tail */
    heap->live_capacity += extent_length(extent) - block->capacity;
    set_request(heap, block, size);
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
    heap->live_capacity += extent_length(extent) - block->capacity;
    extent->dirty = extent_length(extent);
    set_request(heap, block, size);
    return HEAP_RESIZED;
}

enum heap_resized heap_resize(struct anvil_heap *heap, const struct heap_block *block, size_t size,
                              bool must_stay, char **ret_start)
{
    enum heap_resized result;
    ASSERT(sync_lock_is_held(&heap->lock) && size > 0 && size <= SIZE_LIMIT);
    if (block->extent->state == EXTENT_SLAB)
        result = resize_small(heap, block, size, must_stay);
    else if (block->extent->state == EXTENT_LARGE)
        result = resize_extent(heap, block, size, must_stay);
    else
        result = resize_mapping(heap, block, size, must_stay);
    ASSERT(result == HEAP_RESIZED || !must_stay || size > block->capacity);
    if (result == HEAP_RESIZED)
        *ret_start = block->extent->state == EXTENT_SLAB ? block->start : block->extent->start;
    return result;
}
