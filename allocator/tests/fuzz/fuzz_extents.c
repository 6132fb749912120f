/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: the extents and the mappings of a heap by their own functions, over every page
 * source and fit policy (model.h), the checker after each op.
 *
 * The fit policy is compared with a linear scan; memory said to be zero is looked at; some pages of
 * each live extent hold their marks from the first op to the last, across growing, shrinking and
 * moving.
 */
#include "model.h"

#include "heap.h"
#include "tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SLOTS = 32, PAGES_MAX = 160, FAIL_WITHIN = 6 };

struct held {
    struct extent *extent; /* NULL: the slot is empty */
    uint64_t mark;
};

static struct {
    uint64_t marks;
    struct held held[SLOTS];
} target;

/* ---- content ---- */

/* Not every page: the system has to clear each page that is touched. */
static bool is_marked(size_t page)
{
    return page < 3 || page % 8 == 7;
}

static uint64_t *word_at(const struct extent *extent, size_t page, bool is_last)
{
    return (uint64_t *)(extent->start + (page << PAGE_SHIFT)) +
           (is_last ? PAGE_BYTES / sizeof(uint64_t) - 1 : 0);
}

static void mark_from(const struct held *held, size_t first)
{
    struct extent *extent = held->extent;
    for (size_t page = first; page < extent->pages; page++)
        if (is_marked(page)) {
            *word_at(extent, page, false) = held->mark + page;
            *word_at(extent, page, true) = held->mark + page;
        }
    extent->dirty = extent_length(extent);
    extent_set_size(extent, extent_length(extent));
}

static void require_marks(const struct held *held, size_t pages)
{
    for (size_t page = 0; page < pages; page++)
        model_require(!is_marked(page) ||
                          (*word_at(held->extent, page, false) == held->mark + page &&
                           *word_at(held->extent, page, true) == held->mark + page),
                      "extents: page %zu of %zu has changed", page, pages);
}

static void require_zero_behind_dirt(const struct extent *extent)
{
    size_t first = extent->dirty == 0 ? 0 : pages_for_size(extent->dirty);
    for (size_t page = first; page < extent->pages; page++)
        model_require(!is_marked(page) ||
                          (*word_at(extent, page, false) == 0 && *word_at(extent, page, true) == 0),
                      "extents: page %zu of %zu is not zero", page, extent->pages);
}

/* ---- the fit policy, by a linear scan ---- */

static bool is_better(const struct extents *extents, const struct extent *extent,
                      const struct extent *best, size_t pages)
{
    return extent_state(extent) == EXTENT_FREE && extent->pages >= pages &&
           (best == NULL || tree_is_before(extent, best, extents->free.fit));
}

static char *best_place(const struct extents *extents, size_t pages)
{
    const struct extent *best = NULL, *after = NULL;
    for (const struct extent *extent = extents->list.first; extent != NULL; extent = extent->next) {
        if (is_better(extents, extent, best, pages))
            best = extent;
        if (extent->start >= extents->cursor && is_better(extents, extent, after, pages))
            after = extent;
    }
    if (extents->free.fit == ANVIL_FIT_NEXT && after != NULL)
        best = after;
    return best == NULL ? NULL : best->start;
}

/* ---- the ops ---- */

static void keep(struct held *held, struct extent *extent, size_t pages, size_t alignment)
{
    model_require(extent->pages == pages && is_aligned(extent->start, alignment),
                  "extents: %zu pages at %p, not %zu at a multiple of %zu", extent->pages,
                  (void *)extent->start, pages, alignment);
    require_zero_behind_dirt(extent);
    for (unsigned i = 0; i < SLOTS; i++) {
        const struct extent *other = target.held[i].extent;
        model_require(other == NULL || extent_end(extent) <= other->start ||
                          extent_end(other) <= extent->start,
                      "extents: %zu pages overlap", pages);
    }
    *held = (struct held){.extent = extent, .mark = ++target.marks << 32};
    mark_from(held, 0);
}

static void take(struct held *held, size_t pages, size_t alignment)
{
    struct extents *extents = &model.heap->extents;
    struct extent *extent;
    char *place = best_place(extents, pages);
    if (extent_alloc(extents, pages, alignment, &extent) != 0)
        return;
    model_require(place == NULL || alignment > PAGE_BYTES || extent->start == place,
                  "extents: the fit policy took %p for %zu pages, not %p", (void *)extent->start,
                  pages, (void *)place);
    model_require(extent_state(extent) == EXTENT_LARGE, "extents: a new one is not large");
    keep(held, extent, pages, alignment);
}

static void take_mapping(struct held *held, size_t pages, size_t alignment)
{
    struct extent *extent;
    if (!model.heap->pages.ops->has_mappings ||
        mapping_alloc(&model.heap->extents, pages, alignment, &extent) != 0)
        return;
    model_require(extent_state(extent) == EXTENT_MAPPING, "extents: a new one is no mapping");
    keep(held, extent, extent->pages, alignment); /* a kept one may be longer */
    model_require(extent->pages >= pages, "extents: a mapping of %zu pages, not %zu", extent->pages,
                  pages);
}

static void give_back(struct held *held)
{
    struct extents *extents = &model.heap->extents;
    require_marks(held, held->extent->pages);
    if (extent_state(held->extent) == EXTENT_MAPPING)
        mapping_free(extents, held->extent);
    else
        extent_free(extents, held->extent);
    held->extent = NULL;
}

static void resize(struct held *held, size_t pages)
{
    struct extents *extents = &model.heap->extents;
    struct extent *extent = held->extent;
    size_t old = extent->pages;
    bool is_done;
    if (pages == old)
        return;
    if (extent_state(extent) == EXTENT_MAPPING)
        is_done = mapping_resize(extents, extent, pages) == 0;
    else if (pages > old)
        is_done = extent_grow(extents, extent, pages);
    else
        is_done = extent_shrink(extents, extent, pages);
    model_require(extent->pages == (is_done ? pages : old), "extents: %zu pages after resizing",
                  extent->pages);
    require_marks(held, size_min(old, extent->pages));
    mark_from(held, size_min(old, extent->pages));
}

static size_t pages_of(uint16_t operand)
{
    size_t pages = 1 + (operand & 15);
    return (operand & 112) == 112 ? 1 + operand % (size_t)PAGES_MAX : pages;
}

static void step(const struct model_op *op)
{
    struct extents *extents = &model.heap->extents;
    struct held *held = &target.held[op->slot % SLOTS];
    size_t pages = pages_of(op->operand), shift = (size_t)op->operand >> 12;
    size_t alignment = PAGE_BYTES << (shift > 7 ? shift - 8 : 0);
    switch (op->kind % 16) {
    case 0:
        (void)extents_release(extents, op->operand % 64 * PAGE_BYTES);
        break;
    case 1:
        (void)mappings_release(extents);
        break;
    case 2:
        model.heap->pages.refuse_in = op->operand % FAIL_WITHIN;
        break;
    case 3:
        if (model.heap->meta.missing != 0)
            (void)extents_feed_meta(extents);
        break;
    case 4:
        if (model.heap->pages.ops->is_system)
            (void)meta_release(&model.heap->meta);
        break;
    default:
        if (held->extent == NULL && op->kind % 4 == 1)
            take_mapping(held, pages, alignment);
        else if (held->extent == NULL)
            take(held, pages, alignment);
        else if (op->kind % 2 == 0)
            resize(held, pages);
        else
            give_back(held);
    }
}

static void give_all_back(void)
{
    for (unsigned i = 0; i < SLOTS; i++)
        if (target.held[i].extent != NULL)
            give_back(&target.held[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    model_run_layer("extents", data, size, step, give_all_back);
    return 0;
}
