/* SPDX-License-Identifier: MIT */
/* Visits the list of extents. A slab becomes a region per block, and one for what was never
 * carved. */
#include "walk.h"

static int visit_slab(const struct extent *extent, const struct walk_visitor *visitor)
{
    const struct slab *slab = extent->as.slab;
    int result = 0;
    for (unsigned index = 0, blocks; index < slab->carved && result == 0; index += blocks) {
        uint32_t tag = sync_tag_read(&slab->tags[index]);
        bool is_live = slab_tag_is_live(tag) || slab_tag_is_span(tag);
        blocks = slab_tag_blocks(tag);
        struct anvil_region region = {.start = slab_block_start(slab, index),
                                      .length = blocks * (size_t)slab->block_size,
                                      .size = is_live ? slab_tag_size(tag) : 0,
                                      .is_live = is_live,
                                      .is_small = true};
        result = visitor->region(&region, visitor->context);
    }
    char *rest = slab_block_start(slab, slab->carved);
    if (result != 0 || rest == extent_end(extent))
        return result;
    struct anvil_region region = {
        .start = rest, .length = (size_t)(extent_end(extent) - rest), .is_small = true};
    return visitor->region(&region, visitor->context);
}

static int visit_whole(const struct extent *extent, const struct walk_visitor *visitor)
{
    enum extent_state state = extent_state(extent);
    bool is_live = state == EXTENT_LARGE || state == EXTENT_MAPPING;
    struct anvil_region region = {.start = extent->start,
                                  .length = extent_length(extent),
                                  .size = is_live ? extent_size(extent) : 0,
                                  .is_live = is_live,
                                  .is_mapping = state == EXTENT_MAPPING ||
                                                state == EXTENT_CACHED_MAPPING ||
                                                state == EXTENT_KEPT};
    return visitor->region(&region, visitor->context);
}

int walk(const struct anvil_heap *heap, const struct walk_visitor *visitor)
{
    int result = 0;
    ASSERT(sync_lock_is_held(&heap->lock));
    for (const struct extent *extent = heap->extents.list.first; extent != NULL && result == 0;
         extent = extent->next) {
        if (visitor->extent != NULL)
            result = visitor->extent(extent, visitor->context);
        if (result == 0 && visitor->region != NULL)
            result = extent_state(extent) == EXTENT_SLAB ? visit_slab(extent, visitor)
                                                         : visit_whole(extent, visitor);
    }
    return result;
}
