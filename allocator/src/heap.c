/* SPDX-License-Identifier: MIT */
/*
 * Taking and giving blocks: the route by size, the counts, and what is tried before a request
 * fails.
 *
 * A request that finds no memory makes the heap give up what it keeps for speed (empty slabs,
 * parked mappings, free extents), once, and tries again; so a block that fitted before fits again
 * when everything has been freed.
 */
#include "heap.h"

#include <errno.h>
#include <string.h>

/*
 * An alignment of so many mmap thresholds gets a mapping of its own whatever the size: what is
 * skipped on the way to it goes back before the pagemap learns of it. As an extent, gigabytes would
 * be entered, and stay entered at each place where they ever lay.
 */
enum { ALIGNMENT_SHARE = 16 };
/* No user address space is larger: what exceeds it need not be tried. */
#define ADDRESS_SPACE ((size_t)1 << 47)

void heap_init(struct anvil_heap *heap, unsigned id, const struct anvil_options *options,
               const struct pages *pages, size_t own_length)
{
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

void heap_drop(struct anvil_heap *heap)
{
    heap->pages.refuse_in = 0;
    extents_done(&heap->extents);
    meta_done(&heap->meta, !heap->pages.ops->is_system);
}

bool heap_trim(struct anvil_heap *heap, size_t keep)
{
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

static int take_extent(struct anvil_heap *heap, size_t size, size_t alignment,
                       struct extent **ret_extent)
{
    size_t pages = pages_for_size(size), threshold = heap->options.mmap_threshold;
    bool is_far = alignment / ALIGNMENT_SHARE >= threshold, is_apart = is_far || size >= threshold;
    if (is_apart && heap->pages.ops->has_mappings) {
        if (mapping_take(&heap->extents, pages, alignment, ret_extent) == 0)
            return 0;
        if (is_far)
            return ENOMEM;
    }
    return extent_take(&heap->extents, pages, alignment, ret_extent);
}

static int take_large(struct anvil_heap *heap, size_t size, size_t alignment,
                      unsigned alignment_code, struct heap_fresh *ret_fresh)
{
    struct extent *extent;
    if (take_extent(heap, size, alignment, &extent) != 0)
        return ENOMEM;
    *ret_fresh = (struct heap_fresh){.start = extent->start, .dirty = extent->dirty};
    extent->dirty = extent_length(extent);
    extent->alignment_code = (uint8_t)alignment_code;
    extent->as.block.size = size;
    heap->live_capacity += extent_length(extent);
    return 0;
}

static int take_small(struct anvil_heap *heap, size_t size, size_t alignment,
                      unsigned alignment_code, struct heap_fresh *ret_fresh)
{
    unsigned class_index = slab_class_of(size, alignment);
    struct slab_block block;
    if (UNLIKELY(slab_take(&heap->slabs, class_index, size, alignment_code, &block) != 0))
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

int heap_take(struct anvil_heap *heap, size_t size, size_t alignment, unsigned alignment_code,
              struct heap_fresh *ret_fresh)
{
    bool is_small = size <= ANVIL_SMALL_MAX && alignment <= ANVIL_SMALL_MAX;
    int error = ENOMEM;
    if (LIKELY(is_small))
        error = take_small(heap, size, alignment, alignment_code, ret_fresh);
    else if (!is_hopeless(heap, size, alignment))
        error = take_large(heap, size, alignment, alignment_code, ret_fresh);
    if (UNLIKELY(error != 0)) {
        if (is_hopeless(heap, size, alignment) || !reclaim(heap))
            return error;
        error = is_small ? take_small(heap, size, alignment, alignment_code, ret_fresh)
                         : take_large(heap, size, alignment, alignment_code, ret_fresh);
        if (error != 0)
            return error;
    }
    heap->live_blocks++;
    heap->live_size += size;
    return 0;
}

static void remember_gone(struct anvil_heap *heap, const struct heap_block *block)
{
    heap->gone[heap->gone_next++ % HEAP_GONE_COUNT] =
        (struct heap_gone){.start = block->start, .size = block->size};
}

void heap_give(struct anvil_heap *heap, const struct heap_block *block)
{
    struct extent *extent = block->extent;
    heap->live_blocks--;
    heap->live_size -= block->size;
    heap->live_capacity -= block->capacity;
    if (LIKELY(extent->state == EXTENT_SLAB)) {
        slab_give(&heap->slabs, extent, block->index);
    } else if (extent->state == EXTENT_LARGE) {
        extent_give(&heap->extents, extent);
    } else {
        remember_gone(heap, block);
        mapping_give(&heap->extents, extent);
    }
}
