/* SPDX-License-Identifier: MIT */
/*
 * What a pointer stands for. The straight path is one look-up in the pagemap and one in the
 * descriptor; everything for heap_diagnose runs once in the life of a process and takes its time.
 *
 * Memory at the pointer is never read. A word of the pagemap that belongs to another heap is
 * compared, not followed.
 */
#include "heap.h"

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
