/* SPDX-License-Identifier: MIT */
/*
 * The operations on extents: take (find, split), give (coalesce), grow and shrink in place.
 *
 * Order of business: descriptors are reserved before anything changes, so that an operation either
 * fails untouched or cannot fail any more.
 */
#include "extent.h"

#include "extent_list.h"
#include "tree.h"

#include <errno.h>

static struct extent *find_fit(const struct extents *extents, size_t pages)
{
    struct extent *found = NULL;
    if (extents->fit == ANVIL_FIT_NEXT)
        found = tree_find_from(extents->root, pages, extents->cursor);
    return found != NULL ? found : tree_find(extents->root, pages);
}

/*
 *   before   | extent                    |
 *   after    | extent: keep pages | rest |     the rest is linked and recorded, in no set yet
 */
static struct extent *extent_split(struct extents *extents, struct extent *extent, size_t keep)
{
    size_t keep_length = keep << PAGE_SHIFT;
    struct extent *rest =
        extent_new(extents, extent->start + keep_length, extent->pages - keep, EXTENT_LARGE);
    rest->dirty = extent->dirty - size_min(extent->dirty, keep_length);
    rest->clean = extent->clean - size_min(extent->clean, keep_length);
    extent_cut_dirt(extent, keep_length);
    extent->pages = keep;
    extent_record(extents, extent);
    extent_record(extents, rest);
    extent_link_after(extents, extent, rest);
    return rest;
}

static struct extent *find_or_expand(struct extents *extents, size_t pages)
{
    struct extent *found = find_fit(extents, pages);
    if (found == NULL && extents_expand(extents, pages, true) == 0)
        found = find_fit(extents, pages);
    if (found == NULL && extents_expand(extents, pages, false) == 0)
        found = find_fit(extents, pages);
    return found;
}

/*
 *   before   | found, free                          |
 *   after    | free, if any | extent | free, if any |     the extent starts at a multiple of the alignment
 */
int extent_take(struct extents *extents, size_t pages, size_t alignment, struct extent **ret_extent)
{
    size_t slack = alignment > PAGE_BYTES ? (alignment >> PAGE_SHIFT) - 1 : 0;
    if (meta_reserve(extents->meta, sizeof(struct extent), EXTENT_SPARES) != 0)
        return ENOMEM;
    struct extent *extent = find_or_expand(extents, pages + slack);
    if (extent == NULL)
        return ENOMEM;
    extent_free_remove(extents, extent);
    size_t front = (size_round_up((uintptr_t)extent->start, size_max(alignment, PAGE_BYTES)) -
                    (uintptr_t)extent->start) >>
                   PAGE_SHIFT;
    if (front > 0) {
        struct extent *rest = extent_split(extents, extent, front);
        extent_free_insert(extents, extent);
        extent = rest;
    }
    if (extent->pages > pages)
        extent_free_insert(extents, extent_split(extents, extent, pages));
    extent->state = EXTENT_LARGE;
    extent->alignment_code = 0;
    extent->clean = 0;
    extents->cursor = extent_end(extent);
    *ret_extent = extent;
    return 0;
}

void extent_record_pages(struct extents *extents, struct extent *extent)
{
    pagemap_fill(extent->start, extent->pages, extent, extents->owner);
}

void extent_unrecord_pages(const struct extent *extent)
{
    if (extent->state == EXTENT_SLAB && extent->pages > 2)
        pagemap_fill(extent->start + PAGE_BYTES, extent->pages - 2, NULL, 0);
}

void extent_give(struct extents *extents, struct extent *extent)
{
    extent_unrecord_pages(extent);
    extents_settle(extents, extent_coalesce(extents, extent));
}

/*
 *   before   | extent      | right, free         |
 *   after    | extent: pages      | rest, if any |
 */
bool extent_grow(struct extents *extents, struct extent *extent, size_t pages)
{
    size_t more = pages - extent->pages;
    struct extent *right = extent_right(extents, extent);
    if (right == NULL || right->state != EXTENT_FREE || right->pages < more)
        return false;
    extent_free_remove(extents, right);
    extent_unrecord(right);
    pagemap_clear(extent_end(extent) - 1);
    if (right->pages > more) {
        right->start += more << PAGE_SHIFT;
        right->pages -= more;
        right->dirty -= size_min(right->dirty, more << PAGE_SHIFT);
        right->clean -= size_min(right->clean, more << PAGE_SHIFT);
        extent_record(extents, right);
        extent_free_insert(extents, right);
    } else {
        extent_unlink(extents, right);
        extent_delete(extents, right);
    }
    extent->pages = pages;
    extent->dirty = extent_length(extent);
    extent_record(extents, extent);
    return true;
}

bool extent_shrink(struct extents *extents, struct extent *extent, size_t pages)
{
    if (meta_reserve(extents->meta, sizeof(struct extent), 1) != 0)
        return false;
    struct extent *tail = extent_split(extents, extent, pages);
    extents_settle(extents, extent_coalesce(extents, tail));
    return true;
}
