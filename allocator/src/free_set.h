/* SPDX-License-Identifier: MIT */
/*
 * The set of a heap's free extents: found by the fit policy, counted, and those that are worth a
 * purge kept in a list of their own, so that a purge costs nothing for all others.
 *
 * Between any two calls:
 *  - the members are exactly the extents in state EXTENT_FREE. The set gives them this state;
 *    whoever removes one gives it another, or deletes it;
 *  - the tree has every member once, in the order of the policy;
 *  - `pages`, `count` and `dirty_bytes` are the sums over the members;
 *  - the purge list has exactly the members that free_set_is_worth_purging.
 *
 * All of this depends on a member's start, pages, dirty and clean: whoever changes these removes it
 * before and inserts it afterwards, or calls one of the functions for a change. The set does not
 * know neighbours or the pagemap: that no two members are side by side is extent.c's concern.
 *
 * To find, insert or remove one is O(log n). No call needs memory, and none fails. Guarded by the
 * lock of the heap.
 */
#ifndef ANVIL_FREE_SET_H
#define ANVIL_FREE_SET_H

#include "tree.h"

struct free_set {
    enum anvil_fit fit;
    struct extent *root; /* of the tree */
    size_t pages, count;
    size_t dirty_bytes;         /* between clean and dirty */
    struct extent *purge_first; /* of the purge list; the others by as.node.purge_next */
};

/* Less than that many dirty pages at one place are left alone: the call would cost more than the
 * memory is worth. */
enum { FREE_SET_PURGE_PAGES_MIN = 8 };

static inline bool free_set_is_worth_purging(const struct extent *extent)
{
    return extent->dirty - extent->clean >= (size_t)FREE_SET_PURGE_PAGES_MIN << PAGE_SHIFT;
}

static inline void free_set_init(struct free_set *set, enum anvil_fit fit)
{
    *set = (struct free_set){.fit = fit};
}

/* The member that the policy takes for `pages` pages, or NULL. Next fit looks first among those at
 * `cursor` or above. */
static inline struct extent *free_set_find(const struct free_set *set, size_t pages,
                                           const char *cursor)
{
    struct extent *found = NULL;
    if (set->fit == ANVIL_FIT_NEXT)
        found = tree_find_from(set->root, pages, cursor);
    return found != NULL ? found : tree_find(set->root, pages);
}

/* For the functions below: adds the extent to the purge list, if it belongs there, and to the sums
 * but `count`. */
static inline void free_set_add(struct free_set *set, struct extent *extent)
{
    set->pages += extent->pages;
    set->dirty_bytes += extent->dirty - extent->clean;
    if (!free_set_is_worth_purging(extent))
        return;
    extent->as.node.purge_previous = NULL;
    extent->as.node.purge_next = set->purge_first;
    if (set->purge_first != NULL)
        set->purge_first->as.node.purge_previous = extent;
    set->purge_first = extent;
}

static inline void free_set_insert(struct free_set *set, struct extent *extent)
{
    extent_set_state(extent, EXTENT_FREE);
    tree_insert(&set->root, extent, set->fit);
    set->count++;
    free_set_add(set, extent);
}

void free_set_remove(struct free_set *set, struct extent *extent);

/* Between these two a member may change, or give its place to `fresh`. It must not pass another
 * member by address, and no other function may get it meanwhile. Where the order is by address, its
 * place in the tree stays the same: that is cheaper than to remove and insert it. */
void free_set_change(struct free_set *set, struct extent *extent);
void free_set_changed(struct free_set *set, struct extent *extent, struct extent *fresh);

/* All dirty pages of a member were purged. */
void free_set_purged(struct free_set *set, struct extent *extent);

#endif
