/* SPDX-License-Identifier: MIT */
/*
 * Extents, in three parts: coalescing; what comes from the page source and goes back to it; and the
 * operations (allocate, free, grow, shrink, release).
 *
 * Every operation reserves its descriptors before it changes anything: it fails with nothing
 * changed, or it cannot fail any more.
 *
 * The heap expands in steps: 256 KiB at first, later an eighth of the heap; from a source whose
 * regions lie anywhere at least 4 MiB, so that a growing block has room above it. Only touched
 * pages become resident. Steps are round: blocks of one size then come back to the places where
 * they were before, whose pages are resident already. Memory goes back by three rules:
 *  - a free extent that exceeds both the trim threshold and a quarter of the heap is cut at once,
 *    if the page source can take its tail;
 *  - when the dirty bytes of the free extents exceed a budget (2 MiB and an eighth of the heap),
 *    those that are worth it are purged: the addresses stay. If samples show that less than half of
 *    the budget is resident, because blocks were not written whole, this is put off;
 *  - extents_release does both for everything.
 * Pages that went back and are needed again are retained: the first two limits rise by as much, so
 * that a program which fills and empties its heap over and over faults its pages in a few times
 * only. What is retained halves with each second in which memory is freed. The default heap begins
 * with 48 MiB, so that the first such round costs no more than the others.
 * A request that the system refuses leaves the extent as it was: free, and dirty as before.
 */
#include "extent.h"

#include <errno.h>
#include <string.h>

enum {
    STEP_PAGES_MIN = 64,
    STEP_PAGES_APART = 1024, /* where the next region may not follow this one */
    STEP_PAGES_MAX = 8192,
    STEP_SHARE = 8,      /* of the heap */
    TRIM_SHARE = 4,      /* of the heap: twice a step, so that fresh memory does not go back */
    TRIM_PAGES_MIN = 32, /* less than that is not worth a call */
    FREES_PER_LOOK = 64, /* at the clock */
    RETAINED_AT_FIRST = (48 << 20) >> PAGE_SHIFT,
    SAMPLES = 32, /* free extents that are looked at to know how much memory they take */
    SPARES = 3,   /* descriptors that one allocation may need: growth, front rest, back rest */
};
#define PURGE_BUDGET ((size_t)2 << 20) /* bytes */

/* ---- coalescing ---- */

/*
 *   before   | left          | right    |      four entries in the pagemap
 *   after    | left                     |      two entries; the descriptor on the right is unused
 */
static void merge(struct extents *extents, struct extent *left, struct extent *right)
{
    ASSERT(extent_end(left) == right->start);
    pagemap_set(extent_end(left) - 1, 0);
    pagemap_set(right->start, 0);
    if (right->dirty > 0) {
        if (left->dirty == 0)
            left->clean = extent_length(left) + right->clean;
        left->dirty = extent_length(left) + right->dirty;
    }
    left->pages += right->pages;
    extent_record(&extents->list, left);
    extent_unlink(&extents->list, right);
}

static bool is_free(const struct extent *extent)
{
    return extent != NULL && extent_state(extent) == EXTENT_FREE;
}

/* Makes the extent, which is in no set, a free one or a part of one. Returns that. */
static struct extent *coalesce(struct extents *extents, struct extent *extent)
{
    struct extent *left = extent_left(&extents->list, extent),
                  *right = extent_right(&extents->list, extent);
    bool is_left_free = is_free(left), is_right_free = is_free(right);
    if (is_left_free) {
        if (is_right_free)
            free_set_remove(&extents->free, right);
        free_set_change(&extents->free, left);
        merge(extents, left, extent);
        extent_delete(&extents->list, extent);
        extent = left;
    } else if (is_right_free) {
        free_set_change(&extents->free, right);
    }
    if (is_right_free)
        merge(extents, extent, right);
    if (is_left_free || is_right_free)
        free_set_changed(&extents->free, is_left_free ? left : right, extent);
    else
        free_set_insert(&extents->free, extent);
    if (is_right_free)
        extent_delete(&extents->list, right);
    ASSERT(!is_free(extent_left(&extents->list, extent)) &&
           !is_free(extent_right(&extents->list, extent)));
    return extent;
}

/* ---- supply: from the page source and back ---- */

static size_t purge_budget(const struct extents *extents)
{
    return PURGE_BUDGET + (extents->held_pages << PAGE_SHIFT) / 8 +
           (extents->retained_pages << PAGE_SHIFT);
}

static void set_purge_mark(struct extents *extents)
{
    extents->purge_at = extents->free.dirty_bytes + purge_budget(extents);
    extents->sparse = 0;
}

/* So many dirty bytes leave the free extents, and may come back with memory behind all of them. */
static void note_taken(struct extents *extents, size_t dirty)
{
    extents->sparse -= size_min(extents->sparse, dirty);
}

static void note_gone(struct extents *extents, size_t pages)
{
    extents->gone_pages += pages;
}

/* Pages that were never touched, or not since they went back, are handed out. */
static void note_needed(struct extents *extents, size_t pages)
{
    size_t again = size_min(pages, extents->gone_pages);
    extents->gone_pages -= again;
    extents->retained_pages += again;
    extents->purge_at += again << PAGE_SHIFT;
}

void extents_decay(struct extents *extents)
{
    if (++extents->frees % FREES_PER_LOOK != 0 || !extents->pages->ops->is_system)
        return;
    uint64_t now = os_seconds();
    bool is_first = extents->retained_at == 0;
    if (now == extents->retained_at)
        return;
    extents->retained_at = now;
    if (is_first)
        return;
    extents->purge_at -= size_min(extents->purge_at, (extents->retained_pages / 2) << PAGE_SHIFT);
    extents->retained_pages /= 2;
    extents->gone_pages /= 2;
    extents->kept_wanted /= 2;
    extents->unmapped_pages /= 2;
}

void extents_init(struct extents *extents, struct pages *pages, struct meta *meta, unsigned owner,
                  const struct anvil_options *options)
{
    *extents = (struct extents){.pages = pages,
                                .list = {.meta = meta, .owner = owner},
                                .trim_pages = options->trim_threshold >> PAGE_SHIFT};
    free_set_init(&extents->free, options->fit);
    if (owner == PAGEMAP_OWNER_DEFAULT)
        extents->retained_pages = RETAINED_AT_FIRST;
    set_purge_mark(extents);
}

/* Adds fresh memory as a free extent, coalesced. */
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
    struct extent *extent = extent_new(&extents->list, start, pages, EXTENT_FREE);
    extent_record(&extents->list, extent);
    extent_link(&extents->list, extent);
    extents->held_pages += pages;
    (void)coalesce(extents, extent);
    return 0;
}

/* The free pages that the next growth of a contiguous source will extend. */
static size_t room_at_top(const struct extents *extents)
{
    if (!extents->pages->ops->is_contiguous || extents->pages->top == NULL)
        return 0;
    const struct extent *extent = extent_at(&extents->list, extents->pages->top - 1);
    return is_free(extent) ? extent->pages : 0;
}

static int expand(struct extents *extents, size_t pages, bool count_room)
{
    size_t room = count_room ? room_at_top(extents) : 0;
    size_t needed = pages - size_min(room, pages - 1);
    bool is_small = extents->held_pages == 0 || extents->pages->ops->is_contiguous;
    size_t least = is_small ? STEP_PAGES_MIN : STEP_PAGES_APART;
    size_t share = size_round_up(extents->held_pages / STEP_SHARE, least);
    size_t step = size_min(size_max(share, least), STEP_PAGES_MAX);
    if (needed < step && region_add(extents, step) == 0)
        return 0;
    return region_add(extents, needed);
}

/* Cuts a free extent that is in no set and not recorded down to `keep` pages. */
static void cut_tail(struct extents *extents, struct extent *extent, size_t keep)
{
    ASSERT(keep <= extent->pages && extents->held_pages >= extent->pages - keep);
    extents->held_pages -= extent->pages - keep;
    if (keep == 0) {
        extent_unlink(&extents->list, extent);
        extent_delete(&extents->list, extent);
        return;
    }
    extent->pages = keep;
    extent_cut_dirt(extent, keep << PAGE_SHIFT);
    extent_record(&extents->list, extent);
    free_set_insert(&extents->free, extent);
}

/*
 *   before   | extent, free            |
 *   after    | extent: keep | released |     the whole extent goes if keep is 0
 */
static bool release_tail(struct extents *extents, struct extent *extent, size_t keep)
{
    size_t keep_length = keep << PAGE_SHIFT;
    size_t length = extent_length(extent) - keep_length;
    size_t dirty = extent->dirty > keep_length ? extent->dirty - keep_length : 0;
    note_taken(extents, dirty);
    free_set_remove(&extents->free, extent);
    extent_unrecord(extent); /* first: released addresses may become another heap's */
    if (pages_release(extents->pages, extent->start + keep_length, length, dirty) != 0) {
        extent_record(&extents->list, extent);
        free_set_insert(&extents->free, extent);
        return false;
    }
    note_gone(extents, length >> PAGE_SHIFT);
    cut_tail(extents, extent, keep);
    return true;
}

static bool is_tail_releasable(const struct extents *extents, const struct extent *extent,
                               size_t keep)
{
    size_t keep_length = keep << PAGE_SHIFT;
    return pages_is_releasable(extents->pages, extent->start + keep_length,
                               extent_length(extent) - keep_length);
}

/* Returns the bytes that left the process. */
static size_t purge(struct extents *extents, struct extent *extent)
{
    ASSERT(extent_state(extent) == EXTENT_FREE);
    size_t length = size_round_up(extent->dirty - extent->clean, PAGE_BYTES);
    if (length == 0 || pages_purge(extents->pages, extent->start + extent->clean, length) != 0)
        return 0;
    note_gone(extents, length >> PAGE_SHIFT);
    note_taken(extents, length);
    free_set_purged(&extents->free, extent);
    return length;
}

static void purge_large(struct extents *extents)
{
    for (struct extent *extent = extents->free.purge_first, *next; extent != NULL; extent = next) {
        next = extent->as.node.purge_next;
        (void)purge(extents, extent);
    }
    set_purge_mark(extents);
}

/* Bytes of the dirty pages that take memory: an estimate from the extents that were freed last. */
static size_t estimate_resident(struct extents *extents)
{
    size_t seen = 0, resident = 0, dirty_bytes = extents->free.dirty_bytes;
    struct extent *extent = extents->free.purge_first;
    for (unsigned i = 0; extent != NULL && i < SAMPLES; i++, extent = extent->as.node.purge_next) {
        size_t pages = (extent->dirty - extent->clean) >> PAGE_SHIFT;
        pages = size_min(pages, OS_COUNTED_PAGES_MAX);
        seen += pages;
        resident += os_count_resident(extent->start + extent->clean, pages);
    }
    return seen == 0 ? dirty_bytes : size_min(dirty_bytes, dirty_bytes / seen * resident + 1);
}

/* Blocks that were not written whole left pages without memory behind. To purge those gains
 * nothing, and costs page faults when the others are needed again. */
static COLD void purge_if_resident(struct extents *extents)
{
    size_t budget = purge_budget(extents), resident = estimate_resident(extents);
    if (resident > budget / 2) {
        purge_large(extents);
        return;
    }
    extents->sparse = extents->free.dirty_bytes - resident;
    extents->purge_at = budget;
}

/* Pages that a free extent may keep: the trim threshold, but none once much is free elsewhere;
 * otherwise every released run would leave an island. */
static size_t pages_to_keep(const struct extents *extents, const struct extent *extent)
{
    size_t elsewhere = extents->free.pages - extent->pages;
    size_t enough = size_max(extents->trim_pages, extents->held_pages / STEP_SHARE);
    return elsewhere > enough ? 0 : extents->trim_pages;
}

static void settle(struct extents *extents, struct extent *extent)
{
    extents_decay(extents);
    size_t mark = size_max(extents->trim_pages, extents->held_pages / TRIM_SHARE);
    mark = size_max(mark, extents->retained_pages);
    if (extent->pages > mark && extent->pages - mark >= TRIM_PAGES_MIN) {
        size_t keep = size_max(pages_to_keep(extents, extent), extents->retained_pages);
        if (is_tail_releasable(extents, extent, keep))
            (void)release_tail(extents, extent, keep);
    }
    ASSERT(extents->sparse <= extents->free.dirty_bytes);
    if (UNLIKELY(extents->free.dirty_bytes > extents->purge_at + extents->sparse) &&
        extents->pages->ops->is_system)
        purge_if_resident(extents);
}

/* ---- operations ---- */

/*
 *   before   | extent                    |
 *   after    | extent: keep pages | rest |     rest: linked and recorded, in no set
 */
static struct extent *split(struct extents *extents, struct extent *extent, size_t keep)
{
    ASSERT(keep > 0 && keep < extent->pages);
    size_t keep_length = keep << PAGE_SHIFT;
    struct extent *rest =
        extent_new(&extents->list, extent->start + keep_length, extent->pages - keep, EXTENT_LARGE);
    rest->dirty = extent->dirty - size_min(extent->dirty, keep_length);
    rest->clean = extent->clean - size_min(extent->clean, keep_length);
    extent_cut_dirt(extent, keep_length);
    extent->pages = keep;
    extent_record(&extents->list, extent);
    extent_record(&extents->list, rest);
    extent_link_after(&extents->list, extent, rest);
    return rest;
}

/* Leaves the first pages to others. */
static void cut_front(struct extent *extent, size_t pages)
{
    size_t length = pages << PAGE_SHIFT;
    extent->start += length;
    extent->pages -= pages;
    extent->dirty -= size_min(extent->dirty, length);
    extent->clean -= size_min(extent->clean, length);
}

/*
 *   before   | extent, free                   |
 *   after    | front: pages | extent, free    |     front: linked and recorded, in no set
 */
static struct extent *split_front(struct extents *extents, struct extent *extent, size_t pages)
{
    struct extent *front = extent_new(&extents->list, extent->start, pages, EXTENT_LARGE);
    front->dirty = extent->dirty;
    front->clean = extent->clean;
    extent_cut_dirt(front, pages << PAGE_SHIFT);
    free_set_change(&extents->free, extent);
    cut_front(extent, pages);
    extent_record(&extents->list, front);
    extent_record(&extents->list, extent);
    extent_link_after(&extents->list, extent->previous, front);
    free_set_changed(&extents->free, extent, extent);
    return front;
}

/*
 *   before   | extent, free                        |
 *   after    | free, if any | returned | free, if any |
 */
static struct extent *split_middle(struct extents *extents, struct extent *extent, size_t front,
                                   size_t pages)
{
    free_set_remove(&extents->free, extent);
    if (front > 0) {
        struct extent *rest = split(extents, extent, front);
        free_set_insert(&extents->free, extent);
        extent = rest;
    }
    if (extent->pages > pages)
        free_set_insert(&extents->free, split(extents, extent, pages));
    return extent;
}

static struct extent *find_or_expand(struct extents *extents, size_t pages)
{
    struct extent *found = free_set_find(&extents->free, pages, extents->cursor);
    if (found == NULL && expand(extents, pages, true) == 0)
        found = free_set_find(&extents->free, pages, extents->cursor);
    if (found == NULL && expand(extents, pages, false) == 0)
        found = free_set_find(&extents->free, pages, extents->cursor);
    return found;
}

/*
 *   before   | found, free                          |
 *   after    | free, if any | extent | free, if any |     starts at a multiple of the alignment
 */
int extent_alloc(struct extents *extents, size_t pages, size_t alignment,
                 struct extent **ret_extent)
{
    ASSERT(pages > 0 && is_power_of_two(alignment));
    size_t slack = alignment > PAGE_BYTES ? (alignment >> PAGE_SHIFT) - 1 : 0;
    if (meta_reserve(extents->list.meta, sizeof(struct extent), SPARES) != 0)
        return ENOMEM;
    struct extent *extent = find_or_expand(extents, pages + slack);
    if (extent == NULL)
        return ENOMEM;
    size_t front = (size_round_up((uintptr_t)extent->start, size_max(alignment, PAGE_BYTES)) -
                    (uintptr_t)extent->start) >>
                   PAGE_SHIFT;
    extent = front == 0 && extent->pages > pages ? split_front(extents, extent, pages)
                                                 : split_middle(extents, extent, front, pages);
    note_taken(extents, extent->dirty - extent->clean);
    if (extent->dirty - extent->clean < extent_length(extent))
        note_needed(extents, extent->pages - ((extent->dirty - extent->clean) >> PAGE_SHIFT));
    extent_set_state(extent, EXTENT_LARGE);
    extent->request_code = 0;
    extent->run_class = RUN_CLASS_NONE;
    extent->clean = 0;
    extents->cursor = extent_end(extent);
    ASSERT(extent->pages == pages && is_aligned(extent->start, alignment));
    *ret_extent = extent;
    return 0;
}

void extent_free(struct extents *extents, struct extent *extent)
{
    ASSERT(extent_state(extent) == EXTENT_LARGE || extent_state(extent) == EXTENT_CACHED ||
           extent_state(extent) == EXTENT_SLAB);
    ASSERT(extent_at(&extents->list, extent->start) == extent);
    extent_unrecord_inner(extent);
    extent_record(&extents->list, extent); /* the ends of a slab led to the slab */
    settle(extents, coalesce(extents, extent));
}

/*
 *   before   | extent      | right, free         |
 *   after    | extent: pages      | rest, if any |
 */
static bool grow_into_right(struct extents *extents, struct extent *extent, size_t pages)
{
    size_t more = pages - extent->pages;
    struct extent *right = extent_right(&extents->list, extent);
    if (!is_free(right) || right->pages < more)
        return false;
    note_taken(extents, right->dirty - right->clean);
    extent_unrecord(right);
    pagemap_set(extent_end(extent) - 1, 0);
    if (right->pages > more) {
        free_set_change(&extents->free, right);
        cut_front(right, more);
        extent_record(&extents->list, right);
        free_set_changed(&extents->free, right, right);
    } else {
        free_set_remove(&extents->free, right);
        extent_unlink(&extents->list, right);
        extent_delete(&extents->list, right);
    }
    extent->pages = pages;
    extent->dirty = extent_length(extent);
    extent_record(&extents->list, extent);
    return true;
}

/* Is the extent, or the free one to its right, where a contiguous source grows next? */
static bool is_at_top(const struct extents *extents, const struct extent *extent)
{
    const struct extent *right = extent_right(&extents->list, extent);
    const char *end = extent_end(is_free(right) ? right : extent);
    return extents->pages->ops->is_contiguous && end == extents->pages->top;
}

bool extent_grow(struct extents *extents, struct extent *extent, size_t pages)
{
    ASSERT(extent_state(extent) == EXTENT_LARGE && pages > extent->pages);
    if (grow_into_right(extents, extent, pages))
        return true;
    if (!is_at_top(extents, extent) ||
        meta_reserve(extents->list.meta, sizeof(struct extent), SPARES) != 0 ||
        expand(extents, pages - extent->pages, true) != 0)
        return false;
    return grow_into_right(extents, extent, pages);
}

bool extent_shrink(struct extents *extents, struct extent *extent, size_t pages)
{
    ASSERT(extent_state(extent) == EXTENT_LARGE && pages > 0 && pages < extent->pages);
    if (meta_reserve(extents->list.meta, sizeof(struct extent), 1) != 0)
        return false;
    struct extent *tail = split(extents, extent, pages);
    settle(extents, coalesce(extents, tail));
    return true;
}

/*
 *   before   | extent, free               |
 *   after    | extent, if any is left | m |   m is meta's, and no extent: this needs no descriptor
 */
COLD bool extents_feed_meta(struct extents *extents)
{
    size_t pages = meta_missing_pages(extents->list.meta);
    struct extent *extent = free_set_find(&extents->free, pages, NULL);
    if (extent == NULL)
        return false;
    size_t keep = extent->pages - pages;
    char *start = extent->start + (keep << PAGE_SHIFT);
    note_taken(extents, extent->dirty);
    free_set_remove(&extents->free, extent);
    extent_unrecord(extent);
    cut_tail(extents, extent, keep);
    meta_adopt(extents->list.meta, start, pages << PAGE_SHIFT);
    return true;
}

COLD size_t extents_release(struct extents *extents, size_t keep)
{
    size_t keep_pages = keep >> PAGE_SHIFT, released = 0;
    extents->retained_pages = 0;
    for (struct extent *extent = extents->list.last, *previous; extent != NULL; extent = previous) {
        previous = extent->previous;
        if (extent_state(extent) != EXTENT_FREE)
            continue;
        size_t kept = size_min(keep_pages, extent->pages), excess = extent->pages - kept;
        if (excess > 0 && is_tail_releasable(extents, extent, kept) &&
            release_tail(extents, extent, kept)) {
            released += excess << PAGE_SHIFT;
            keep_pages -= kept;
        } else if (keep_pages >= extent->pages) {
            keep_pages -= extent->pages;
        } else {
            released += purge(extents, extent);
        }
    }
    extents->gone_pages = 0;
    set_purge_mark(extents);
    return released;
}

/*
 * Memory that cannot go back, because a foreign break or memory handed to meta stands above it, is
 * purged; an arena must be zero again. An injected refusal comes only once, so two tries suffice.
 */
static void release_run(struct extents *extents, char *start, size_t length, size_t dirty)
{
    for (int tries = 0; tries < 2; tries++)
        if (pages_release(extents->pages, start, length, dirty) == 0)
            return;
    if (extents->pages->ops->is_system)
        (void)pages_purge(extents->pages, start, length);
    else
        memset(start, 0, dirty);
}

void extents_destroy(struct extents *extents)
{
    for (struct extent *extent = extents->list.first; extent != NULL; extent = extent->next) {
        extent_unrecord_inner(extent);
        extent_unrecord(extent);
    }
    for (struct extent *extent = extents->list.last, *previous; extent != NULL; extent = previous) {
        char *start = extent->start;
        size_t length = extent_length(extent), dirty = extent->dirty;
        for (previous = extent->previous;
             extents->pages->ops->is_system && previous != NULL && extent_end(previous) == start;
             previous = previous->previous) {
            start = previous->start;
            length += extent_length(previous);
        }
        release_run(extents, start, length, dirty);
    }
    free_set_init(&extents->free, extents->free.fit);
    extents->list.first = extents->list.last = NULL;
    extents->kept_newest = extents->kept_oldest = NULL;
}
