/* SPDX-License-Identifier: MIT */
/*
 * Slabs: classes, carving, tags, and the life of a slab.
 *
 * A slab is in its class's list of partial slabs while it has room. It leaves when it is full and
 * comes back, in front, when a block is freed. One empty slab per class is kept, so that a program
 * whose use oscillates around a slab's border does not make and free one each time; the next empty
 * slab becomes a free extent.
 */
#include "slab.h"

#include <errno.h>

#define SIZE(bytes) {(bytes), (uint32_t)((UINT64_C(1) << 32) / (bytes) + 1)}
const struct slab_size slab_sizes[SLAB_CLASSES] = {
    SIZE(16),  SIZE(32),  SIZE(48),  SIZE(64),  SIZE(80),  SIZE(96),  SIZE(112), SIZE(128),
    SIZE(144), SIZE(160), SIZE(176), SIZE(192), SIZE(208), SIZE(224), SIZE(240), SIZE(256),
    SIZE(288), SIZE(320), SIZE(352), SIZE(384), SIZE(416), SIZE(448), SIZE(480), SIZE(512),
    SIZE(576), SIZE(640), SIZE(704), SIZE(768), SIZE(832), SIZE(896), SIZE(960), SIZE(1024),
};
#undef SIZE
_Static_assert(ANVIL_SMALL_MAX == 1024, "the last class");
_Static_assert(ANVIL_SMALL_MAX <= SLAB_TAG_SLACK_MASK, "a slack must fit into its tag");

void slabs_init(struct slabs *slabs, struct extents *extents)
{
    *slabs = (struct slabs){.extents = extents};
}

static uint16_t tag_live(const struct slab *slab, size_t size, unsigned alignment_code)
{
    ASSERT(size <= slab->block_size && alignment_code <= SLAB_TAG_ALIGNMENT_MASK);
    return (uint16_t)(SLAB_TAG_LIVE | alignment_code << SLAB_TAG_ALIGNMENT_SHIFT |
                      (slab->block_size - size));
}

static void partial_insert(struct slab_class *class, struct extent *extent)
{
    struct slab *slab = slab_of(extent);
    slab->previous = NULL;
    slab->next = class->partial;
    if (class->partial != NULL)
        slab_of(class->partial)->previous = extent;
    class->partial = extent;
}

static void partial_remove(struct slab_class *class, struct extent *extent)
{
    struct slab *slab = slab_of(extent);
    ASSERT(slab->previous != NULL || class->partial == extent);
    if (slab->next != NULL)
        slab_of(slab->next)->previous = slab->previous;
    *(slab->previous == NULL ? &class->partial : &slab_of(slab->previous)->next) = slab->next;
}

static size_t tags_length(const struct slab *slab)
{
    return slab->capacity * sizeof slab->tags[0];
}

static int slab_new(struct slabs *slabs, unsigned class_index)
{
    struct slab_class *class = &slabs->classes[class_index];
    struct extents *extents = slabs->extents;
    size_t pages = class->slabs < SLAB_SMALL_COUNT ? SLAB_PAGES_SMALL : SLAB_PAGES_LARGE;
    struct slab_size size = slab_sizes[class_index];
    size_t capacity = (pages << PAGE_SHIFT) * size.reciprocal >> 32;
    ASSERT(class->partial == NULL && capacity < SLAB_NO_BLOCK);
    struct extent *extent;
    uint16_t *tags = meta_alloc(extents->meta, capacity * sizeof *tags);
    if (tags == NULL)
        return ENOMEM;
    if (extent_alloc(extents, pages, PAGE_BYTES, &extent) != 0) {
        meta_free(extents->meta, tags, capacity * sizeof *tags);
        return ENOMEM;
    }
    extent->state = EXTENT_SLAB;
    extent_record_pages(extents, extent);
    *slab_of(extent) = (struct slab){.tags = tags,
                                     .reciprocal = size.reciprocal,
                                     .block_size = size.bytes,
                                     .capacity = (uint16_t)capacity,
                                     .first_free = SLAB_NO_BLOCK,
                                     .class_index = (uint16_t)class_index,
                                     .zero_from = (uint32_t)extent->dirty};
    class->slabs++;
    class->empty = extent;
    partial_insert(class, extent);
    return 0;
}

static void slab_delete(struct slabs *slabs, struct extent *extent)
{
    struct slab *slab = slab_of(extent);
    struct slab_class *class = &slabs->classes[slab->class_index];
    ASSERT(slab->live == 0 && class->empty != extent && class->slabs > 0);
    ASSERT(slabs->carved_free >= slab->carved);
    slabs->carved_free -= slab->carved;
    slabs->carved_free_bytes -= (size_t)slab->carved * slab->block_size;
    partial_remove(class, extent);
    class->slabs--;
    meta_free(slabs->extents->meta, slab->tags, tags_length(slab));
    extent_free(slabs->extents, extent);
}

/* The next block that was never handed out. */
static unsigned slab_carve(struct extent *extent, bool *ret_is_zero)
{
    struct slab *slab = slab_of(extent);
    ASSERT(slab->carved < slab->capacity);
    unsigned index = slab->carved++;
    size_t offset = (size_t)index * slab->block_size;
    *ret_is_zero = offset >= slab->zero_from;
    extent->dirty = size_max(extent->dirty, offset + slab->block_size);
    return index;
}

static unsigned slab_pop(struct slabs *slabs, struct slab *slab)
{
    unsigned index = slab->first_free;
    ASSERT(index < slab->carved && (slab->tags[index] & SLAB_TAG_LIVE) == 0);
    ASSERT(slabs->carved_free > 0);
    slab->first_free = slab->tags[index];
    slabs->carved_free--;
    slabs->carved_free_bytes -= slab->block_size;
    return index;
}

int slab_alloc(struct slabs *slabs, unsigned class_index, size_t size, unsigned alignment_code,
               struct slab_block *ret_block)
{
    struct slab_class *class = &slabs->classes[class_index];
    if (UNLIKELY(class->partial == NULL) && slab_new(slabs, class_index) != 0)
        return ENOMEM;
    struct extent *extent = class->partial;
    struct slab *slab = slab_of(extent);
    ASSERT(slab->class_index == class_index && slab->live < slab->capacity);
    bool is_zero = false;
    unsigned index =
        slab->first_free != SLAB_NO_BLOCK ? slab_pop(slabs, slab) : slab_carve(extent, &is_zero);
    slab->tags[index] = tag_live(slab, size, alignment_code);
    if (slab->live++ == 0)
        class->empty = NULL;
    if (UNLIKELY(slab->live == slab->capacity))
        partial_remove(class, extent);
    *ret_block = (struct slab_block){.start = extent->start + (size_t)index * slab->block_size,
                                     .is_zero = is_zero};
    return 0;
}

COLD struct fault slab_diagnose(const struct extent *extent, const void *pointer)
{
    const struct slab *slab = slab_of_const(extent);
    size_t offset = (size_t)((const char *)pointer - extent->start),
           index = offset / slab->block_size;
    if (offset % BLOCK_ALIGNMENT != 0)
        return (struct fault){.kind = FAULT_MISALIGNED};
    if (index >= slab->carved)
        return (struct fault){.kind = FAULT_NEVER_ALLOCATED};
    if (index * slab->block_size != offset)
        return (struct fault){.kind = FAULT_INTERIOR, .size = slab->block_size};
    return (struct fault){.kind = FAULT_DOUBLE_FREE, .size = slab->block_size};
}

void slab_free(struct slabs *slabs, struct extent *extent, unsigned index)
{
    struct slab *slab = slab_of(extent);
    struct slab_class *class = &slabs->classes[slab->class_index];
    ASSERT(index < slab->carved && slab_block_is_live(extent, index) && slab->live > 0);
    slab->tags[index] = slab->first_free;
    slab->first_free = (uint16_t)index;
    slabs->carved_free++;
    slabs->carved_free_bytes += slab->block_size;
    if (UNLIKELY(slab->live-- == slab->capacity))
        partial_insert(class, extent);
    if (LIKELY(slab->live != 0))
        return;
    if (class->empty != NULL)
        slab_delete(slabs, extent);
    else
        class->empty = extent;
}

void slab_block_resize(struct extent *extent, unsigned index, size_t size)
{
    struct slab *slab = slab_of(extent);
    ASSERT(slab_block_is_live(extent, index));
    slab->tags[index] = tag_live(slab, size, 0);
}

bool slabs_release(struct slabs *slabs)
{
    bool is_any = false;
    for (unsigned class_index = 0; class_index < SLAB_CLASSES; class_index++) {
        struct slab_class *class = &slabs->classes[class_index];
        if (class->empty == NULL)
            continue;
        struct extent *extent = class->empty;
        class->empty = NULL;
        slab_delete(slabs, extent);
        is_any = true;
    }
    return is_any;
}
