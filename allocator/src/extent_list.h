/* SPDX-License-Identifier: MIT */
/*
 * All extents of a heap, mappings included: their descriptors, which meta provides; one list, which
 * keeps address order within every contiguous run; and their entries in the pagemap, through which
 * an address leads to its extent and an extent to its neighbours.
 *
 * Guarded by the lock of the heap that owns them.
 */
#ifndef ANVIL_EXTENT_LIST_H
#define ANVIL_EXTENT_LIST_H

#include "extent_descriptor.h"
#include "meta.h"

struct extent_list {
    struct meta *meta;
    unsigned owner; /* in the pagemap */
    struct extent *first, *last;
};

/* The extent that is recorded for the page of an address, or NULL if none of this heap's is, as of
 * a long mapping. */
struct extent *extent_at(const struct extent_list *list, const void *address);
/* The neighbours by address, or NULL where the memory beside is not this heap's. */
struct extent *extent_left(const struct extent_list *list, const struct extent *extent);
struct extent *extent_right(const struct extent_list *list, const struct extent *extent);

/* A descriptor that is in no list yet; the caller has reserved it. */
struct extent *extent_new(struct extent_list *list, char *start, size_t pages,
                          enum extent_state state);
void extent_delete(struct extent_list *list, struct extent *extent);
/* Links the extent beside its true neighbours by address, if it has any. */
void extent_link(struct extent_list *list, struct extent *extent);
/* Links the extent behind `place`, or in front of all if that is NULL. */
void extent_link_after(struct extent_list *list, struct extent *place, struct extent *extent);
void extent_unlink(struct extent_list *list, struct extent *extent);
/* Sets or clears the entries of the first and last page, or that of the cell. */
void extent_record(struct extent_list *list, struct extent *extent);
void extent_unrecord(const struct extent *extent);
/* Makes a large block's extent that of a slab, and records every page. */
void extent_make_slab(struct extent_list *list, struct extent *extent, struct slab *slab);
/* Clears the entries of a slab's pages but the first and the last. */
void extent_unrecord_inner(const struct extent *extent);

#endif
