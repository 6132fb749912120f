/* SPDX-License-Identifier: MIT */
/* Descriptors of extents, where they are linked and recorded, and the set of the free ones. The
 * operations on them stand in extent.c. */
#include "extent_list.h"

#include "tree.h"

#include <assert.h>

struct extent *extent_new(struct extents *extents, char *start, size_t pages,
                          enum extent_state state)
{
    struct extent *extent = meta_take(extents->meta, sizeof *extent);
    assert(extent != NULL);
    *extent = (struct extent){.start = start, .pages = pages, .state = (uint8_t)state};
    return extent;
}

void extent_delete(struct extents *extents, struct extent *extent)
{
    meta_give(extents->meta, extent, sizeof *extent);
}

struct extent *extent_left(const struct extents *extents, const struct extent *extent)
{
    return pagemap_get(extent->start - 1, extents->owner);
}

struct extent *extent_right(const struct extents *extents, const struct extent *extent)
{
    return pagemap_get(extent_end(extent), extents->owner);
}

/* Hangs the chain first … last between two members of the list; NULL stands for its ends. */
static void list_insert(struct extents *extents, struct extent *before, struct extent *first,
                        struct extent *last, struct extent *after)
{
    first->previous = before;
    last->next = after;
    *(before == NULL ? &extents->first : &before->next) = first;
    *(after == NULL ? &extents->last : &after->previous) = last;
}

static void list_remove(struct extents *extents, struct extent *first, struct extent *last)
{
    *(first->previous == NULL ? &extents->first : &first->previous->next) = last->next;
    *(last->next == NULL ? &extents->last : &last->next->previous) = first->previous;
}

void extent_link_after(struct extents *extents, struct extent *place, struct extent *extent)
{
    list_insert(extents, place, extent, extent, place == NULL ? extents->first : place->next);
}

/*
 * An extent that closes a gap joins two runs into one, and the upper run must follow it in the
 * list:
 *
 *   before   … [left run]  … [right run] …
 *   after    … [left run][extent][right run] …  …
 */
void extent_link(struct extents *extents, struct extent *extent)
{
    struct extent *left = extent_left(extents, extent);
    struct extent *right = extent_right(extents, extent);
    if (left == NULL && right != NULL) {
        extent_link_after(extents, right->previous, extent);
        return;
    }
    extent_link_after(extents, left != NULL ? left : extents->last, extent);
    if (right == NULL || extent->next == right)
        return;
    struct extent *last = right;
    while (last->next != NULL && last->next->start == extent_end(last))
        last = last->next;
    list_remove(extents, right, last);
    list_insert(extents, extent, right, last, extent->next);
}

void extent_unlink(struct extents *extents, struct extent *extent)
{
    list_remove(extents, extent, extent);
}

void extent_record(struct extents *extents, struct extent *extent)
{
    pagemap_set(extent->start, extent, extents->owner);
    pagemap_set(extent_end(extent) - 1, extent, extents->owner);
}

void extent_unrecord(const struct extent *extent)
{
    pagemap_clear(extent->start);
    pagemap_clear(extent_end(extent) - 1);
}

void extent_free_insert(struct extents *extents, struct extent *extent)
{
    extent->state = EXTENT_FREE;
    extents->free_pages += extent->pages;
    extents->free_count++;
    extents->dirty_bytes += extent->dirty - extent->clean;
    tree_insert(&extents->root, extent, extents->fit);
}

void extent_free_remove(struct extents *extents, struct extent *extent)
{
    tree_remove(&extents->root, extent, extents->fit);
    extents->free_pages -= extent->pages;
    extents->free_count--;
    extents->dirty_bytes -= extent->dirty - extent->clean;
}

/*
 *   before   | left          | right    |      two descriptors, four entries in the pagemap
 *   after    | left                     |      one descriptor, two entries
 */
static void extent_merge(struct extents *extents, struct extent *left, struct extent *right)
{
    pagemap_clear(extent_end(left) - 1);
    pagemap_clear(right->start);
    if (right->dirty > 0) {
        if (left->dirty == 0)
            left->clean = extent_length(left) + right->clean;
        left->dirty = extent_length(left) + right->dirty;
    }
    left->pages += right->pages;
    extent_record(extents, left);
    extent_unlink(extents, right);
    extent_delete(extents, right);
}

struct extent *extent_coalesce(struct extents *extents, struct extent *extent)
{
    struct extent *left = extent_left(extents, extent);
    if (left != NULL && left->state == EXTENT_FREE) {
        extent_free_remove(extents, left);
        extent_merge(extents, left, extent);
        extent = left;
    }
    struct extent *right = extent_right(extents, extent);
    if (right != NULL && right->state == EXTENT_FREE) {
        extent_free_remove(extents, right);
        extent_merge(extents, extent, right);
    }
    extent_free_insert(extents, extent);
    return extent;
}
