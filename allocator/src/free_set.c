/* SPDX-License-Identifier: MIT */
#include "free_set.h"

static void purge_list_remove(struct free_set *set, struct extent *extent)
{
    struct extent *previous = extent->as.node.purge_previous, *next = extent->as.node.purge_next;
    if (!free_set_is_worth_purging(extent))
        return;
    ASSERT(previous != NULL || set->purge_first == extent);
    *(previous == NULL ? &set->purge_first : &previous->as.node.purge_next) = next;
    if (next != NULL)
        next->as.node.purge_previous = previous;
}

/* Undoes free_set_add. */
static void subtract(struct free_set *set, struct extent *extent)
{
    ASSERT(extent_state(extent) == EXTENT_FREE && set->count > 0);
    ASSERT(set->pages >= extent->pages);
    ASSERT(set->dirty_bytes >= extent->dirty - extent->clean);
    purge_list_remove(set, extent);
    set->pages -= extent->pages;
    set->dirty_bytes -= extent->dirty - extent->clean;
}

void free_set_remove(struct free_set *set, struct extent *extent)
{
    subtract(set, extent);
    set->count--;
    tree_remove(&set->root, extent, set->fit);
}

void free_set_change(struct free_set *set, struct extent *extent)
{
    subtract(set, extent);
    if (!tree_is_by_address(set->fit))
        tree_remove(&set->root, extent, set->fit);
}

void free_set_changed(struct free_set *set, struct extent *extent, struct extent *fresh)
{
    extent_set_state(fresh, EXTENT_FREE);
    if (tree_is_by_address(set->fit))
        tree_replace(&set->root, extent, fresh);
    else
        tree_insert(&set->root, fresh, set->fit);
    free_set_add(set, fresh);
}

void free_set_purged(struct free_set *set, struct extent *extent)
{
    ASSERT(extent_state(extent) == EXTENT_FREE);
    purge_list_remove(set, extent);
    set->dirty_bytes -= extent->dirty - extent->clean;
    extent->dirty = extent->clean = 0;
}
