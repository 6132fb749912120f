/* SPDX-License-Identifier: MIT */
/*
 * How extents come from the page source and go back to it: expand, trim, purge, release, and the
 * end of a heap.
 *
 * Expansion goes in steps: 256 KiB at first, later an eighth of the heap; only what is touched
 * becomes resident. Giving back goes by three rules:
 *  - a free extent larger than the trim threshold and a quarter of the heap, at a place that can be
 *    given back, is cut down at once;
 *  - when the dirty part of the free extents exceeds a budget (2 MiB and an eighth of the heap), it
 *    is purged: the addresses stay. What is less than eight pages at one place is left to be reused
 *    or to grow: a call for each would cost more than the memory is worth;
 *  - extents_release does both for everything.
 * A request that the system refuses leaves the extent as it was: free, and dirty as before.
 */
#include "extent.h"

#include "extent_list.h"
#include "tree.h"

#include <errno.h>
#include <string.h>

enum {
    STEP_PAGES_MIN = 64,
    STEP_PAGES_MAX = 8192,
    /* of the heap: twice a step of growth, so that what has just grown is not given back */
    TRIM_SHARE = 4,
    STEP_SHARE = 8,  /* of the heap */
    ISLANDS_MAX = 4, /* free extents of the trim threshold's size that may stay */
    TRIM_SLACK = 32, /* pages; less than that is not worth a call */
    PURGE_PAGES_MIN = 8,
};
#define PURGE_BUDGET ((size_t)2 << 20) /* bytes */

static void set_purge_mark(struct extents *extents)
{
    extents->purge_at =
        extents->dirty_bytes + PURGE_BUDGET + (extents->held_pages << PAGE_SHIFT) / 8;
}

void extents_init(struct extents *extents, struct pages *pages, struct meta *meta, unsigned owner,
                  const struct anvil_options *options)
{
    *extents = (struct extents){.pages = pages,
                                .meta = meta,
                                .owner = owner,
                                .fit = options->fit,
                                .trim_pages = options->trim_threshold >> PAGE_SHIFT};
    set_purge_mark(extents);
}

/* Fresh memory, free and coalesced. */
static int region_add(struct extents *extents, size_t pages)
{
    char *start;
    if (pages > SIZE_LIMIT >> PAGE_SHIFT ||
        pages_grow(extents->pages, pages << PAGE_SHIFT, &start) != 0)
        return ENOMEM;
    if (pagemap_reserve(extents->pages, start, pages << PAGE_SHIFT) != 0) {
        pages_abandon(extents->pages, start, pages << PAGE_SHIFT, 0);
        return ENOMEM;
    }
    struct extent *extent = extent_new(extents, start, pages, EXTENT_FREE);
    extent_record(extents, extent);
    extent_link(extents, extent);
    extents->held_pages += pages;
    (void)extent_coalesce(extents, extent);
    return 0;
}

/* Free pages that a contiguous source's next growth will touch. */
static size_t room_at_top(const struct extents *extents)
{
    if (!extents->pages->ops->is_contiguous || extents->pages->top == NULL)
        return 0;
    const struct extent *extent = pagemap_get(extents->pages->top - 1, extents->owner);
    return extent != NULL && extent->state == EXTENT_FREE ? extent->pages : 0;
}

int extents_expand(struct extents *extents, size_t pages, bool count_room)
{
    size_t room = count_room ? room_at_top(extents) : 0;
    size_t needed = pages - size_min(room, pages - 1);
    size_t step =
        size_min(size_max(extents->held_pages / STEP_SHARE, STEP_PAGES_MIN), STEP_PAGES_MAX);
    if (needed < step && region_add(extents, step) == 0)
        return 0;
    return region_add(extents, needed);
}

/* Of a free extent that is in no set and not recorded, only `keep` pages are left from now on. */
static void cut_tail(struct extents *extents, struct extent *extent, size_t keep)
{
    extents->held_pages -= extent->pages - keep;
    if (keep == 0) {
        extent_unlink(extents, extent);
        extent_delete(extents, extent);
        return;
    }
    extent->pages = keep;
    extent_cut_dirt(extent, keep << PAGE_SHIFT);
    extent_record(extents, extent);
    extent_free_insert(extents, extent);
}

/*
 *   before   | extent, free           |
 *   after    | extent: keep |  given  |     the whole extent goes if keep is 0
 */
static bool give_tail(struct extents *extents, struct extent *extent, size_t keep)
{
    size_t keep_length = keep << PAGE_SHIFT;
    size_t length = extent_length(extent) - keep_length;
    size_t dirty = extent->dirty > keep_length ? extent->dirty - keep_length : 0;
    extent_free_remove(extents, extent);
    extent_unrecord(extent); /* first: once given, the addresses may be another heap's */
    if (pages_give(extents->pages, extent->start + keep_length, length, dirty) != 0) {
        extent_record(extents, extent);
        extent_free_insert(extents, extent);
        return false;
    }
    cut_tail(extents, extent, keep);
    return true;
}

/*
 *   before   | extent, free               |
 *   after    | extent, if any is left | m |     m is meta's, and no extent: this needs no descriptor
 */
bool extents_feed_meta(struct extents *extents)
{
    size_t pages = meta_missing_pages(extents->meta);
    struct extent *extent = tree_find(extents->root, pages);
    if (extent == NULL)
        return false;
    size_t keep = extent->pages - pages;
    char *start = extent->start + (keep << PAGE_SHIFT);
    extent_free_remove(extents, extent);
    extent_unrecord(extent);
    cut_tail(extents, extent, keep);
    meta_adopt(extents->meta, start, pages << PAGE_SHIFT);
    return true;
}

static bool is_tail_givable(const struct extents *extents, const struct extent *extent, size_t keep)
{
    size_t keep_length = keep << PAGE_SHIFT;
    return pages_is_givable(extents->pages, extent->start + keep_length,
                            extent_length(extent) - keep_length);
}

/* Returns the bytes that left the process. */
static size_t extent_purge(struct extents *extents, struct extent *extent)
{
    size_t length = size_round_up(extent->dirty - extent->clean, PAGE_BYTES);
    if (length == 0 || pages_purge(extents->pages, extent->start + extent->clean, length) != 0)
        return 0;
    extents->dirty_bytes -= extent->dirty - extent->clean;
    extent->dirty = extent->clean = 0;
    return length;
}

static void purge_large(struct extents *extents)
{
    for (struct extent *extent = extents->first; extent != NULL; extent = extent->next)
        if (extent->state == EXTENT_FREE && extent->dirty - extent->clean >= (size_t)PURGE_PAGES_MIN
                                                                                 << PAGE_SHIFT)
            (void)extent_purge(extents, extent);
    set_purge_mark(extents);
}

/* What a free extent may keep: the trim threshold; nothing once a lot is free elsewhere, or every
 * run given back would leave an island. */
static size_t pages_to_keep(const struct extents *extents, const struct extent *extent)
{
    size_t elsewhere = extents->free_pages - extent->pages;
    size_t enough = size_max(extents->trim_pages * ISLANDS_MAX, extents->held_pages / STEP_SHARE);
    return elsewhere > enough ? 0 : extents->trim_pages;
}

void extents_settle(struct extents *extents, struct extent *extent)
{
    size_t mark = size_max(extents->trim_pages, extents->held_pages / TRIM_SHARE);
    if (extent->pages > mark && extent->pages - mark >= TRIM_SLACK) {
        size_t keep = pages_to_keep(extents, extent);
        if (is_tail_givable(extents, extent, keep))
            (void)give_tail(extents, extent, keep);
    }
    if (UNLIKELY(extents->dirty_bytes > extents->purge_at) && extents->pages->ops->is_system)
        purge_large(extents);
}

size_t extents_release(struct extents *extents, size_t keep)
{
    size_t keep_pages = keep >> PAGE_SHIFT, released = 0;
    for (struct extent *extent = extents->last, *previous; extent != NULL; extent = previous) {
        previous = extent->previous;
        if (extent->state != EXTENT_FREE)
            continue;
        size_t kept = size_min(keep_pages, extent->pages), given = extent->pages - kept;
        if (given > 0 && is_tail_givable(extents, extent, kept) &&
            give_tail(extents, extent, kept)) {
            released += given << PAGE_SHIFT;
            keep_pages -= kept;
        } else if (keep_pages >= extent->pages) {
            keep_pages -= extent->pages;
        } else {
            released += extent_purge(extents, extent);
        }
    }
    set_purge_mark(extents);
    return released;
}

/*
 * What cannot be given back, because a foreign break or what was handed to meta stands above it, is
 * at least purged; an arena must be zero again. A refusal on purpose comes once only.
 */
static void run_give(struct extents *extents, char *start, size_t length, size_t dirty)
{
    if (pages_give(extents->pages, start, length, dirty) == 0 ||
        pages_give(extents->pages, start, length, dirty) == 0)
        return;
    if (extents->pages->ops->is_system)
        (void)pages_purge(extents->pages, start, length);
    else
        memset(start, 0, dirty);
}

void extents_done(struct extents *extents)
{
    for (struct extent *extent = extents->first; extent != NULL; extent = extent->next) {
        extent_unrecord_pages(extent);
        extent_unrecord(extent);
    }
    for (struct extent *extent = extents->last, *previous; extent != NULL; extent = previous) {
        char *start = extent->start;
        size_t length = extent_length(extent), dirty = extent->dirty;
        for (previous = extent->previous;
             extents->pages->ops->is_system && previous != NULL && extent_end(previous) == start;
             previous = previous->previous) {
            start = previous->start;
            length += extent_length(previous);
        }
        run_give(extents, start, length, dirty);
    }
    extents->first = extents->last = extents->root = NULL;
}
