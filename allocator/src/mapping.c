/* SPDX-License-Identifier: MIT */
/* Extents with a mapping of their own, on top of the page source's map, resize and move. Entries in
 * the pagemap are cleared before the system takes addresses back, and set after it has given
 * them. */
#include "mapping.h"

#include <errno.h>

static int reserve_ends(struct extents *extents, const char *start, size_t length)
{
    int error = pagemap_reserve(extents->pages, start, PAGE_BYTES);
    return error != 0 ? error
                      : pagemap_reserve(extents->pages, start + length - PAGE_BYTES, PAGE_BYTES);
}

static void add_mapping(struct extents *extents, struct extent *extent)
{
    extent_record(extents, extent);
    extent_link(extents, extent);
    extents->mapping_count++;
    extents->mapping_pages += extent->pages;
}

static void drop_mapping(struct extents *extents, struct extent *extent)
{
    ASSERT(extent->state == EXTENT_MAPPING && extents->mapping_pages >= extent->pages);
    extent_unlink(extents, extent);
    extent_unrecord(extent);
    extents->mapping_count--;
    extents->mapping_pages -= extent->pages;
}

/*
 *   before   | mapped, pages + alignment            |
 *   after    | unmapped | start, pages   | unmapped |   a tail that cannot be unmapped stays part of the extent
 */
static int map_aligned(struct extents *extents, size_t pages, size_t alignment, char **ret_start,
                       size_t *ret_pages)
{
    size_t length = pages << PAGE_SHIFT;
    size_t slack = alignment > PAGE_BYTES ? alignment - PAGE_BYTES : 0;
    char *base;
    if (pages_map(extents->pages, length + slack, &base) != 0)
        return ENOMEM;
    size_t front = size_round_up((uintptr_t)base, alignment) - (uintptr_t)base;
    if (front > 0 && pages_release(extents->pages, base, front, 0) != 0) {
        pages_abandon(extents->pages, base, length + slack, 0);
        return ENOMEM;
    }
    slack -= front;
    if (slack > 0 && pages_release(extents->pages, base + front + length, slack, 0) == 0)
        slack = 0;
    *ret_start = base + front;
    *ret_pages = pages + (slack >> PAGE_SHIFT);
    return 0;
}

int mapping_alloc(struct extents *extents, size_t pages, size_t alignment,
                  struct extent **ret_extent)
{
    char *start;
    (void)mappings_retry(extents);
    if (meta_reserve(extents->meta, sizeof(struct extent), 1) != 0)
        return ENOMEM;
    if (map_aligned(extents, pages, size_max(alignment, PAGE_BYTES), &start, &pages) != 0)
        return ENOMEM;
    if (reserve_ends(extents, start, pages << PAGE_SHIFT) != 0) {
        pages_abandon(extents->pages, start, pages << PAGE_SHIFT, 0);
        return ENOMEM;
    }
    ASSERT(is_aligned(start, alignment));
    *ret_extent = extent_new(extents, start, pages, EXTENT_MAPPING);
    add_mapping(extents, *ret_extent);
    return 0;
}

/* Returns false, with the extent recorded as before, if the system refuses. */
static bool offer(struct extents *extents, struct extent *extent)
{
    extent_unrecord(extent); /* first: unmapped addresses may become another heap's */
    if (pages_release(extents->pages, extent->start, extent_length(extent), extent->dirty) != 0) {
        extent_record(extents, extent);
        return false;
    }
    extent_unlink(extents, extent);
    extent_delete(extents, extent);
    return true;
}

void mapping_free(struct extents *extents, struct extent *extent)
{
    size_t pages = extent->pages;
    ASSERT(extent->state == EXTENT_MAPPING && extents->mapping_pages >= pages);
    extents->mapping_count--;
    extents->mapping_pages -= pages;
    if (!offer(extents, extent)) {
        extent->state = EXTENT_PENDING;
        extents->pending_count++;
        extents->pending_pages += pages;
    }
}

size_t mappings_retry(struct extents *extents)
{
    size_t taken = 0;
    if (LIKELY(extents->pending_count == 0))
        return 0;
    for (struct extent *extent = extents->first, *next; extent != NULL; extent = next) {
        next = extent->next;
        size_t pages = extent->pages;
        if (extent->state != EXTENT_PENDING || !offer(extents, extent))
            continue;
        ASSERT(extents->pending_count > 0 && extents->pending_pages >= pages);
        extents->pending_count--;
        extents->pending_pages -= pages;
        taken += pages << PAGE_SHIFT;
    }
    return taken;
}

/* The target is mapped, and its pagemap nodes reserved, before anything moves: a failure leaves the
 * old mapping as it was. */
static int mapping_move(struct extents *extents, struct extent *extent, size_t pages)
{
    size_t length = pages << PAGE_SHIFT;
    char *target;
    if (pages_map(extents->pages, length, &target) != 0)
        return ENOMEM;
    drop_mapping(extents, extent);
    int error = reserve_ends(extents, target, length);
    if (error == 0)
        error = pages_move(extents->pages, extent->start, extent_length(extent), target, length);
    if (error != 0) {
        pages_abandon(extents->pages, target, length, 0);
    } else {
        extent->start = target;
        extent->pages = pages;
    }
    add_mapping(extents, extent);
    return error;
}

int mapping_resize(struct extents *extents, struct extent *extent, size_t pages)
{
    size_t old_pages = extent->pages;
    ASSERT(pages > 0 && pages != old_pages);
    if (reserve_ends(extents, extent->start, pages << PAGE_SHIFT) != 0)
        return ENOMEM;
    drop_mapping(extents, extent);
    int error =
        pages_resize(extents->pages, extent->start, old_pages << PAGE_SHIFT, pages << PAGE_SHIFT);
    if (error == 0) {
        extent->pages = pages;
        extent_cut_dirt(extent, extent_length(extent));
    }
    add_mapping(extents, extent);
    if (error != 0 && pages > old_pages)
        error = mapping_move(extents, extent, pages);
    return error;
}
