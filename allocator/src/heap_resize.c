/* SPDX-License-Identifier: MIT */
/*
 * realloc without copying, wherever that is possible:
 *  - a small block stays while its class still fits within a factor of two;
 *  - an extent shrinks by freeing its tail, and grows into a free right neighbour, which at the top
 *    of a contiguous source can be made;
 *  - a mapping of its own is resized, or moved by its page tables; small steps get an eighth more,
 *    so that appending does not move each time.
 */
#include "heap.h"

#include "extent_list.h"

enum { APPEND_SHARE = 8 };

static void set_request(struct anvil_heap *heap, const struct heap_block *block, size_t size)
{
    heap->live_size += size - block->size;
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

static bool grow_extent(struct anvil_heap *heap, struct extent *extent, size_t pages)
{
    struct extents *extents = &heap->extents;
    if (extent_grow(extents, extent, pages))
        return true;
    const struct extent *right = extent_right(extents, extent);
    const char *end =
        right != NULL && right->state == EXTENT_FREE ? extent_end(right) : extent_end(extent);
    if (!heap->pages.ops->is_contiguous || end != heap->pages.top)
        return false;
    if (meta_reserve(&heap->meta, sizeof(struct extent), EXTENT_SPARES) != 0 ||
        extents_expand(extents, pages - extent->pages, true) != 0)
        return false;
    return extent_grow(extents, extent, pages);
}

static enum heap_resized resize_extent(struct anvil_heap *heap, const struct heap_block *block,
                                       size_t size, bool must_stay)
{
    struct extent *extent = block->extent;
    size_t pages = pages_for_size(size);
    if (size <= ANVIL_SMALL_MAX && !must_stay)
        return HEAP_MUST_MOVE;
    if (pages > extent->pages && !grow_extent(heap, extent, pages))
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
    if (block->extent->state == EXTENT_SLAB)
        result = resize_small(heap, block, size, must_stay);
    else if (block->extent->state == EXTENT_LARGE)
        result = resize_extent(heap, block, size, must_stay);
    else
        result = resize_mapping(heap, block, size, must_stay);
    if (result == HEAP_RESIZED)
        *ret_start = block->extent->state == EXTENT_SLAB ? block->start : block->extent->start;
    return result;
}
