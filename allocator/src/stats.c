/* SPDX-License-Identifier: MIT */
/* Numbers and listings for people: stats and mallinfo2 from the counters, walk and dump from the
 * walker. Nothing here allocates. */
#include "heap_set.h"
#include "text.h"
#include "walk.h"

#include <errno.h>

static struct anvil_heap *lock_heap(struct anvil_heap *heap)
{
    if (heap == NULL)
        heap = heap_default();
    sync_lock_acquire(&heap->lock);
    return heap;
}

static size_t free_bytes(const struct anvil_heap *heap)
{
    return ((heap->extents.free_pages + heap->extents.pending_pages) << PAGE_SHIFT) +
           heap->slabs.carved_free_bytes;
}

void anvil_heap_stats(anvil_heap *heap, struct anvil_stats *ret_stats)
{
    heap = lock_heap(heap);
    *ret_stats =
        (struct anvil_stats){.live_blocks = heap->live_blocks,
                             .live_size = heap->live_size,
                             .live_capacity = heap->live_capacity,
                             .free_extents = heap->extents.free_count + heap->extents.pending_count,
                             .free_bytes = free_bytes(heap),
                             .mapped = heap->pages.held,
                             .mapped_peak = heap->pages.held_peak,
                             .os_calls = heap->pages.calls};
    sync_lock_release(&heap->lock);
}

struct anvil_mallinfo2 anvil_mallinfo2(void)
{
    struct anvil_heap *heap = lock_heap(NULL);
    size_t arena = (heap->extents.held_pages + heap->extents.pending_pages) << PAGE_SHIFT;
    size_t mappings = heap->extents.mapping_pages << PAGE_SHIFT;
    size_t used = heap->live_capacity - mappings;
    struct anvil_mallinfo2 info = {.arena = arena,
                                   .ordblks =
                                       heap->extents.free_count + heap->extents.pending_count,
                                   .smblks = heap->slabs.carved_free,
                                   .hblks = heap->extents.mapping_count,
                                   .hblkhd = mappings,
                                   .fsmblks = heap->slabs.carved_free_bytes,
                                   .uordblks = used,
                                   .fordblks = arena - used,
                                   .keepcost = heap->extents.dirty_bytes};
    sync_lock_release(&heap->lock);
    return info;
}

int anvil_heap_walk(anvil_heap *heap,
                    int (*visit)(const struct anvil_region *region, void *context), void *context)
{
    struct walk_visitor visitor = {.region = visit, .context = context};
    heap = lock_heap(heap);
    int result = walk(heap, &visitor);
    sync_lock_release(&heap->lock);
    return result;
}

static int dump_region(const struct anvil_region *region, void *context)
{
    char buffer[160];
    struct text line = text_start(buffer, sizeof buffer);
    const char *kind = region->is_small ? "small" : region->is_mapping ? "mapping" : "extent";
    text_add(&line, "%p %zu %s ", region->start, region->length, kind);
    if (region->is_live)
        text_add(&line, "live, size %zu\n", region->size);
    else
        text_add(&line, "free\n");
    text_write(&line, *(const int *)context);
    return 0;
}

void anvil_heap_dump(anvil_heap *heap, int fd)
{
    int saved = errno;
    (void)anvil_heap_walk(heap, dump_region, &fd);
    errno = saved;
}
