/* SPDX-License-Identifier: MIT */
/* An extent's place in the list is found by its neighbours, through the pagemap. */
#include "extent_list.h"

#include "size_class.h"

struct extent *extent_new(struct extent_list *list, char *start, size_t pages,
                          enum extent_state state)
{
    struct extent *extent = meta_alloc(list->meta, sizeof *extent);
    ASSERT(extent != NULL); /* reserved */
    ASSERT(is_page_run(start, pages << PAGE_SHIFT));
    *extent = (struct extent){.start = start, .pages = pages, .run_class = RUN_CLASS_NONE};
    extent_set_state(extent, state);
    return extent;
}

void extent_delete(struct extent_list *list, struct extent *extent)
{
    meta_free(list->meta, extent, sizeof *extent);
}

struct extent *extent_at(const struct extent_list *list, const void *address)
{
    pagemap_word word = pagemap_get(address);
    const struct slab *slab = pagemap_slab_of(word, list->owner);
    return slab != NULL ? ((const struct extent_slab *)slab)->extent
                        : pagemap_extent_of(word, list->owner);
}

struct extent *extent_left(const struct extent_list *list, const struct extent *extent)
{
    return extent_at(list, extent->start - 1);
}

struct extent *extent_right(const struct extent_list *list, const struct extent *extent)
{
    return extent_at(list, extent_end(extent));
}

/* Inserts the chain first … last between two members of the list; NULL stands for an end. */
static void list_insert(struct extent_list *list, struct extent *before, struct extent *first,
                        struct extent *last, struct extent *after)
{
    first->previous = before;
    last->next = after;
    *(before == NULL ? &list->first : &before->next) = first;
    *(after == NULL ? &list->last : &after->previous) = last;
}

static void list_remove(struct extent_list *list, struct extent *first, struct extent *last)
{
    *(first->previous == NULL ? &list->first : &first->previous->next) = last->next;
    *(last->next == NULL ? &list->last : &last->next->previous) = first->previous;
}

void extent_link_after(struct extent_list *list, struct extent *place, struct extent *extent)
{
    list_insert(list, place, extent, extent, place == NULL ? list->first : place->next);
}

/*
 * A long mapping is nobody's neighbour. An extent that closes a gap joins two runs into one, and
 * the upper run must follow it in the list:
 *
 *   before   … [left run]  … [right run] …
 *   after    … [left run][extent][right run] …  …
 */
void extent_link(struct extent_list *list, struct extent *extent)
{
    if (extent_has_cell(extent)) { /* in front: the system maps downwards */
        extent_link_after(list, NULL, extent);
        return;
    }
    struct extent *left = extent_left(list, extent);
    struct extent *right = extent_right(list, extent);
    if (left == NULL && right != NULL) {
        extent_link_after(list, right->previous, extent);
        return;
    }
    extent_link_after(list, left != NULL ? left : list->last, extent);
    if (right == NULL || extent->next == right)
        return;
    struct extent *last = right;
    while (last->next != NULL && last->next->start == extent_end(last))
        last = last->next;
    list_remove(list, right, last);
    list_insert(list, extent, right, last, extent->next);
}

void extent_unlink(struct extent_list *list, struct extent *extent)
{
    list_remove(list, extent, extent);
}

static void record(const struct extent *extent, pagemap_word word)
{
    if (extent_has_cell(extent)) {
        pagemap_set_cell(extent->start, word);
        return;
    }
    pagemap_set(extent->start, word);
    pagemap_set(extent_end(extent) - 1, word);
}

void extent_record(struct extent_list *list, struct extent *extent)
{
    ASSERT(extent->clean <= extent->dirty && extent->dirty <= extent_length(extent));
    record(extent, pagemap_word_of_extent(extent, list->owner));
}

void extent_unrecord(const struct extent *extent)
{
    record(extent, 0);
}

void extent_make_slab(struct extent_list *list, struct extent *extent, struct slab *slab)
{
    ASSERT(extent_state(extent) == EXTENT_LARGE && ((struct extent_slab *)slab)->extent == extent);
    extent_set_state(extent, EXTENT_SLAB);
    extent->as.slab = slab;
    extent->as.zero_from = extent->dirty;
    pagemap_fill(extent->start, extent->pages, pagemap_word_of_slab(slab, list->owner));
}

void extent_unrecord_inner(const struct extent *extent)
{
    if (extent_state(extent) == EXTENT_SLAB && extent->pages > 2)
        pagemap_fill(extent->start + PAGE_BYTES, extent->pages - 2, 0);
}
