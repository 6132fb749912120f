/* SPDX-License-Identifier: MIT */
/* What the files of the extent layer share among themselves: descriptors, the list, the entries of
 * the pagemap, the set of free extents. */
#ifndef ANVIL_EXTENT_LIST_H
#define ANVIL_EXTENT_LIST_H

#include "extent.h"

/* Descriptors that one take may need: a growth, and what is cut off in front and behind. */
enum { EXTENT_SPARES = 3 };

/* A descriptor that is in no list yet; the caller has reserved it. */
struct extent *extent_new(struct extents *extents, char *start, size_t pages,
                          enum extent_state state);
void extent_delete(struct extents *extents, struct extent *extent);

/* Links by address: beside its true neighbours. The extent's own pages are recorded, or are about
 * to be. */
void extent_link(struct extents *extents, struct extent *extent);
void extent_link_after(struct extents *extents, struct extent *place, struct extent *extent);
void extent_unlink(struct extents *extents, struct extent *extent);

/* The entries of its first and last page. */
void extent_record(struct extents *extents, struct extent *extent);
void extent_unrecord(const struct extent *extent);
/* If it is a slab: the entries of all pages between those two. */
void extent_unrecord_pages(const struct extent *extent);

/* Into and out of the set of free extents: state, tree and sums. */
void extent_free_insert(struct extents *extents, struct extent *extent);
void extent_free_remove(struct extents *extents, struct extent *extent);
/* Makes a run free, in one piece with its free neighbours. Returns that piece. */
struct extent *extent_coalesce(struct extents *extents, struct extent *extent);

/* extent_supply.c: asks the page source for room for an extent of `pages`; a run that is free at
 * its top counts if count_room. */
int extents_expand(struct extents *extents, size_t pages, bool count_room);
/* extent_supply.c: after a free, gives back what is too much at one place, and purges when too much
 * is dirty. */
void extents_settle(struct extents *extents, struct extent *extent);

#endif
