/* SPDX-License-Identifier: MIT */
/* The invariants of slabs and their classes. */
#include "check.h"

static bool is_shaped(const struct extent *extent)
{
    const struct slab *slab = slab_of_const(extent);
    if (slab->class_index >= SLAB_CLASSES)
        return false;
    struct slab_size size = slab_sizes[slab->class_index];
    size_t used = (size_t)slab->capacity * size.bytes, length = extent_length(extent);
    return slab->block_size == size.bytes && slab->reciprocal == size.reciprocal &&
           used <= length && length - used < size.bytes && slab->carved <= slab->capacity &&
           slab->live <= slab->carved;
}

/* Every block on the list is free, and the list is as long as there are free blocks: so each is on
 * it once. */
static bool is_free_list_whole(const struct extent *extent)
{
    const struct slab *slab = slab_of_const(extent);
    unsigned index = slab->first_free, left = (unsigned)(slab->carved - slab->live);
    for (; left > 0; left--) {
        if (index >= slab->carved || slab_block_is_live(extent, index))
            return false;
        index = slab_block_next_free(extent, index);
    }
    return index == SLAB_NO_BLOCK;
}

enum check_id check_slab(struct check *check, const struct extent *extent)
{
    const struct slab *slab = slab_of_const(extent);
    if (!is_shaped(extent))
        return CHECK_SLAB_SHAPE;
    size_t live = 0, slack = 0;
    bool is_over = false;
    /* no branches: nobody could guess them */
    for (unsigned index = 0; index < slab->carved; index++) {
        size_t one = slab->tags[index] >> SLAB_TAG_LIVE_SHIFT;
        size_t its_slack = slab->tags[index] & SLAB_TAG_SLACK_MASK & -one;
        live += one;
        slack += its_slack;
        is_over |= its_slack > slab->block_size;
    }
    if (is_over)
        return CHECK_SLAB_SLACK;
    if (live != slab->live)
        return CHECK_SLAB_LIVE;
    if (!is_free_list_whole(extent))
        return CHECK_SLAB_FREE_LIST;
    check->live_blocks += live;
    check->live_size += live * slab->block_size - slack;
    check->live_capacity += live * slab->block_size;
    check->carved_free += slab->carved - live;
    check->carved_free_bytes += (slab->carved - live) * slab->block_size;
    check->slabs++;
    check->slabs_with_room += slab->live < slab->capacity;
    check->slabs_empty += slab->live == 0;
    return CHECK_OK;
}

static enum check_id check_class(struct check *check, unsigned class_index, size_t *room_left,
                                 size_t *empty_left)
{
    const struct slab_class *class = &check->heap->slabs.classes[class_index];
    const struct extent *previous = NULL;
    bool has_empty = false;
    for (const struct extent *extent = class->roomy; extent != NULL;
         previous = extent, extent = slab_of_const(extent)->next) {
        const struct slab *slab = slab_of_const(extent);
        check->place = extent->start;
        bool is_member = extent->state == EXTENT_SLAB && slab->class_index == class_index &&
                         slab->live < slab->capacity;
        if (!is_member || slab->previous != previous || (*room_left)-- == 0)
            return CHECK_CLASS_ROOMY;
        if (slab->live != 0)
            continue;
        if (class->empty != extent || (*empty_left)-- == 0)
            return CHECK_CLASS_EMPTY;
        has_empty = true;
    }
    return has_empty == (class->empty != NULL) ? CHECK_OK : CHECK_CLASS_EMPTY;
}

enum check_id check_classes(struct check *check)
{
    const struct slabs *slabs = &check->heap->slabs;
    size_t count = 0, room_left = check->slabs_with_room, empty_left = check->slabs_empty;
    for (unsigned class_index = 0; class_index < SLAB_CLASSES; class_index++) {
        if (slabs->classes[class_index].roomy == NULL &&
            slabs->classes[class_index].empty == NULL) {
            count += slabs->classes[class_index].slabs;
            continue;
        }
        enum check_id broken = check_class(check, class_index, &room_left, &empty_left);
        if (broken != CHECK_OK)
            return broken;
        count += slabs->classes[class_index].slabs;
    }
    if (room_left != 0)
        return CHECK_CLASS_ROOMY;
    if (count != check->slabs || check->carved_free != slabs->carved_free ||
        check->carved_free_bytes != slabs->carved_free_bytes)
        return CHECK_SLAB_SUMS;
    return CHECK_OK;
}
