/* SPDX-License-Identifier: MIT */
/*
 * The free extents of a heap, ordered so that a fit policy is one comparison.
 *
 * Every policy asks for the first extent, in its own order, that is large enough:
 *
 *     first fit   by address                         next fit   the same, but from a cursor on,
 *                 then from the bottom
 *     best fit    by size, small before large        worst fit  by size, large before small
 *                 (equal sizes: by address)
 *
 * Each node knows the largest extent below it, so all four are O(log n).
 */
#ifndef ANVIL_TREE_H
#define ANVIL_TREE_H

#include "anvil.h"
#include "extent_descriptor.h"

void tree_insert(struct extent **root, struct extent *extent, enum anvil_fit fit);
void tree_remove(struct extent **root, struct extent *extent, enum anvil_fit fit);
/* Is the order by address alone? */
static inline bool tree_is_by_address(enum anvil_fit fit)
{
    return fit == ANVIL_FIT_FIRST || fit == ANVIL_FIT_NEXT;
}
/* Puts `fresh` into the place of `old`, which may be the same with another start or length; nothing
 * lies between the two. The order must be by address. */
void tree_replace(struct extent **root, struct extent *old, struct extent *fresh);
/* The first extent in order with at least `pages` pages, or NULL. */
struct extent *tree_find(struct extent *root, size_t pages);
/* The same among those at `cursor` or above; the order must be by address. */
struct extent *tree_find_from(struct extent *root, size_t pages, const char *cursor);
/* The order itself: does a come before b? */
bool tree_is_before(const struct extent *a, const struct extent *b, enum anvil_fit fit);

#endif
