/* SPDX-License-Identifier: MIT */
/* Numbers and listings for people, from the walker. The straight paths count nothing, so whoever
 * asks for the sums pays for a walk. Nothing here allocates. */
#include "heap_set.h"
#include "text.h"
#include "walk.h"

#include <errno.h>

/* What the walk adds up of blocks. */
struct sums {
    size_t live_blocks, live_size, live_capacity;
    size_t free_blocks, free_capacity; /* small ones */
    size_t cached_runs, cached_length; /* large ones that threads keep for themselves */
    size_t mappings, mapping_length;   /* live ones */
};

static struct anvil_heap *lock_heap(struct anvil_heap *heap)
{
    if (heap == NULL)
        heap = heap_default();
    heap_lock(heap);
    return heap;
}

static void add_slab(struct sums *sums, const struct slab *slab)
{
    size_t live = 0;
    for (unsigned index = 0, blocks; index < slab->carved; index += blocks) {
        uint32_t tag = sync_tag_read(&slab->tags[index]);
        blocks = slab_tag_blocks(tag);
        if (!slab_tag_is_live(tag) && !slab_tag_is_span(tag))
            continue;
        live += blocks;
        sums->live_blocks++;
        sums->live_size += slab_tag_size(tag);
    }
    sums->live_capacity += live * slab->block_size;
    sums->free_blocks += slab->carved - live;
    sums->free_capacity += (slab->carved - live) * slab->block_size;
}

static int add_extent(const struct extent *extent, void *context)
{
    struct sums *sums = context;
    enum extent_state state = extent_state(extent);
    if (state == EXTENT_SLAB) {
        add_slab(sums, extent->as.slab);
    } else if (state == EXTENT_CACHED || state == EXTENT_CACHED_MAPPING) {
        sums->cached_runs++;
        sums->cached_length += extent_length(extent);
    } else if (state == EXTENT_LARGE || state == EXTENT_MAPPING) {
        sums->mappings += state == EXTENT_MAPPING;
        sums->mapping_length += state == EXTENT_MAPPING ? extent_length(extent) : 0;
        sums->live_blocks++;
        sums->live_size += extent_size(extent);
        sums->live_capacity += extent_length(extent);
    }
    return 0;
}

static struct sums sum_blocks(const struct anvil_heap *heap)
{
    struct sums sums = {0};
    (void)walk(heap, &(struct walk_visitor){.extent = add_extent, .context = &sums});
    return sums;
}

void anvil_heap_stats(anvil_heap *heap, struct anvil_stats *ret_stats)
{
    heap = lock_heap(heap);
    const struct extents *extents = &heap->extents;
    struct sums sums = sum_blocks(heap);
    *ret_stats = (struct anvil_stats){
        .live_blocks = sums.live_blocks,
        .live_size = sums.live_size,
        .live_capacity = sums.live_capacity,
        .free_extents = extents->free.count + extents->kept_count + sums.cached_runs,
        .free_bytes = ((extents->free.pages + extents->kept_pages) << PAGE_SHIFT) +
                      sums.free_capacity + sums.cached_length,
        .mapped = heap->pages.held,
        .mapped_peak = heap->pages.held_peak,
        .os_calls = heap->pages.calls};
    heap_unlock(heap);
}

struct anvil_mallinfo2 anvil_mallinfo2(void)
{
    struct anvil_heap *heap = lock_heap(NULL);
    struct sums sums = sum_blocks(heap);
    const struct extents *extents = &heap->extents;
    size_t pages = extents->held_pages + extents->kept_pages + extents->mapping_pages;
    size_t arena = (pages << PAGE_SHIFT) - sums.mapping_length;
    size_t used = sums.live_capacity - sums.mapping_length;
    struct anvil_mallinfo2 info = {.arena = arena,
                                   .ordblks =
                                       extents->free.count + extents->kept_count + sums.cached_runs,
                                   .smblks = sums.free_blocks,
                                   .hblks = sums.mappings,
                                   .hblkhd = sums.mapping_length,
                                   .fsmblks = sums.free_capacity,
                                   .uordblks = used,
                                   .fordblks = arena - used,
                                   .keepcost = extents->free.dirty_bytes};
    heap_unlock(heap);
    return info;
}

int anvil_heap_walk(anvil_heap *heap,
                    int (*visit)(const struct anvil_region *region, void *context), void *context)
{
    struct walk_visitor visitor = {.region = visit, .context = context};
    heap = lock_heap(heap);
    int result = walk(heap, &visitor);
    heap_unlock(heap);
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
