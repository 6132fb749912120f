/* SPDX-License-Identifier: MIT */
/* Extents with a mapping of their own, on top of the page source's map, resize and move. Entries in
 * the pagemap are cleared before the system takes addresses back, and set after it has given
 * them. */
#include "mapping.h"

#include <errno.h>

enum {
    KEPT_MAX = 8,          /* mappings */
    KEPT_PAGES_MIN = 1024, /* so many pages may be kept, or the share below */
    KEPT_SHARE = 8,        /* of all pages of the heap */
    KEPT_LOOKS = 16,       /* kept mappings that one request looks at */
};

static int reserve_ends(struct extents *extents, const char *start, size_t length)
{
    int error = pagemap_reserve(extents->pages, start, PAGE_BYTES);
    return error != 0 ? error
                      : pagemap_reserve(extents->pages, start + length - PAGE_BYTES, PAGE_BYTES);
}

static void add_mapping(struct extents *extents, struct extent *extent)
{
    extent_record(&extents->list, extent);
    extent_link(&extents->list, extent);
    extents->mapping_count++;
    extents->mapping_pages += extent->pages;
}

static void drop_mapping(struct extents *extents, struct extent *extent)
{
    ASSERT(extent_state(extent) == EXTENT_MAPPING && extents->mapping_pages >= extent->pages);
    extent_unlink(&extents->list, extent);
    extent_unrecord(extent);
    extents->mapping_count--;
    extents->mapping_pages -= extent->pages;
}

/*
 *   before   | mapped, pages + alignment            |
 *   after    | unmapped | start, pages   | unmapped |   or the tail stays, part of the extent
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

/* ---- kept mappings ---- */

static void keep(struct extents *extents, struct extent *extent)
{
    extent_set_state(extent, EXTENT_KEPT);
    extent->as.kept = (struct extent_kept){.older = extents->kept_newest};
    *(extents->kept_newest == NULL ? &extents->kept_oldest : &extents->kept_newest->as.kept.newer) =
        extent;
    extents->kept_newest = extent;
    extents->kept_count++;
    extents->kept_pages += extent->pages;
}

static void keep_no_more(struct extents *extents, struct extent *extent)
{
    struct extent_kept kept = extent->as.kept;
    ASSERT(extent_state(extent) == EXTENT_KEPT && extents->kept_count > 0);
    ASSERT(extents->kept_pages >= extent->pages);
    *(kept.newer == NULL ? &extents->kept_newest : &kept.newer->as.kept.older) = kept.older;
    *(kept.older == NULL ? &extents->kept_oldest : &kept.older->as.kept.newer) = kept.newer;
    extents->kept_count--;
    extents->kept_pages -= extent->pages;
}

/* Unmaps a kept mapping. Returns false, with nothing changed, if the system refuses. */
static bool unmap_kept(struct extents *extents, struct extent *extent)
{
    extent_unrecord(extent); /* first: unmapped addresses may become another heap's */
    if (pages_release(extents->pages, extent->start, extent_length(extent), extent->dirty) != 0) {
        extent_record(&extents->list, extent);
        return false;
    }
    if (extent->pages <= KEPT_PAGES_MIN) /* a fresh long one costs less than to clear an old one */
        extents->unmapped_pages += extent->pages;
    keep_no_more(extents, extent);
    extent_unlink(&extents->list, extent);
    extent_delete(&extents->list, extent);
    return true;
}

/* More than a few? */
static bool is_much_kept(const struct extents *extents)
{
    size_t all = extents->held_pages + extents->mapping_pages;
    return extents->kept_count > KEPT_MAX ||
           extents->kept_pages > size_max(KEPT_PAGES_MIN, all / KEPT_SHARE);
}

static bool is_too_much_kept(const struct extents *extents)
{
    return is_much_kept(extents) && extents->kept_pages > extents->kept_wanted;
}

/* No kept mapping serves a request of so many pages: those that are kept because they might make
 * room for it. */
static void note_mapped(struct extents *extents, size_t pages)
{
    size_t again = size_min(pages, extents->unmapped_pages), before = extents->kept_pages;
    extents->unmapped_pages -= again;
    extents->kept_wanted += again;
    while (is_much_kept(extents) && before - extents->kept_pages < pages &&
           unmap_kept(extents, extents->kept_oldest))
        ;
}

static bool fits(const struct extent *extent, size_t pages, size_t alignment)
{
    return mapping_fits(extent, pages) && is_aligned(extent->start, alignment);
}

static struct extent *find_kept(const struct extents *extents, size_t pages, size_t alignment)
{
    struct extent *extent = extents->kept_newest;
    for (unsigned looks = 0; extent != NULL && looks < KEPT_LOOKS; looks++) {
        if (fits(extent, pages, alignment))
            return extent;
        extent = extent->as.kept.older;
    }
    return NULL;
}

static int map_fresh(struct extents *extents, size_t pages, size_t alignment,
                     struct extent **ret_extent)
{
    char *start;
    if (meta_reserve(extents->list.meta, sizeof(struct extent), 1) != 0)
        return ENOMEM;
    if (map_aligned(extents, pages, size_max(alignment, PAGE_BYTES), &start, &pages) != 0)
        return ENOMEM;
    if (reserve_ends(extents, start, pages << PAGE_SHIFT) != 0) {
        pages_abandon(extents->pages, start, pages << PAGE_SHIFT, 0);
        return ENOMEM;
    }
    ASSERT(is_aligned(start, alignment));
    *ret_extent = extent_new(&extents->list, start, pages, EXTENT_MAPPING);
    add_mapping(extents, *ret_extent);
    note_mapped(extents, pages);
    return 0;
}

int mapping_alloc(struct extents *extents, size_t pages, size_t alignment,
                  struct extent **ret_extent)
{
    struct extent *extent = find_kept(extents, pages, alignment);
    if (extent == NULL)
        return map_fresh(extents, pages, alignment, ret_extent);
    keep_no_more(extents, extent);
    extent_set_state(extent, EXTENT_MAPPING);
    extents->mapping_count++;
    extents->mapping_pages += extent->pages;
    *ret_extent = extent;
    return 0;
}

void mapping_free(struct extents *extents, struct extent *extent)
{
    ASSERT(extent_state(extent) == EXTENT_MAPPING || extent_state(extent) == EXTENT_CACHED_MAPPING);
    ASSERT(extents->mapping_count > 0 && extents->mapping_pages >= extent->pages);
    extents->mapping_count--;
    extents->mapping_pages -= extent->pages;
    keep(extents, extent);
    extents_decay(extents);
    while (is_too_much_kept(extents) && unmap_kept(extents, extents->kept_oldest))
        ;
    if (is_too_much_kept(extents) && extents->kept_newest == extent)
        (void)unmap_kept(extents, extent); /* the oldest may lie where nothing can be cut out */
}

size_t mappings_release(struct extents *extents)
{
    size_t taken = 0;
    extents->kept_wanted = 0;
    for (struct extent *extent = extents->kept_oldest, *newer; extent != NULL; extent = newer) {
        size_t length = extent_length(extent);
        newer = extent->as.kept.newer;
        if (unmap_kept(extents, extent))
            taken += length;
    }
    extents->unmapped_pages = 0;
    return taken;
}

/* ---- resizing ---- */

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
