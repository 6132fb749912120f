/* SPDX-License-Identifier: MIT */
/*
 * Extents with a mapping of their own: large blocks that are mapped and unmapped one by one, and
 * grow by moving page tables instead of bytes.
 *
 * A few freed mappings are kept for the next request of about their size, because the page faults
 * of a fresh one cost far more than all else. A program that unmaps and maps the same amount over
 * and over keeps as much, for about a second; but what is kept beyond a few mappings makes room
 * when none of it serves a request, so that it does not add to the peak. A mapping that the system
 * refuses to unmap is kept as well, and offered again when others are freed; each free and each
 * allocation looks at a few kept mappings only, however many there are.
 */
#ifndef ANVIL_MAPPING_H
#define ANVIL_MAPPING_H

#include "extent.h"

/* As extent_alloc; the state is EXTENT_MAPPING. */
int mapping_alloc(struct extents *extents, size_t pages, size_t alignment,
                  struct extent **ret_extent);
/* May a mapping that is free serve a request of so many pages? At most an eighth would be too
 * much. */
static inline bool mapping_fits(const struct extent *extent, size_t pages)
{
    return extent->pages >= pages && extent->pages - pages <= pages / 8;
}

/* Frees a block, cached or not. Never fails. */
void mapping_free(struct extents *extents, struct extent *extent);
/* Resizes to `pages`, in place if possible, else at a new address; the content is kept. Returns 0,
 * or ENOMEM with nothing changed. */
int mapping_resize(struct extents *extents, struct extent *extent, size_t pages);
/* Unmaps all kept mappings that the system takes. Returns the bytes unmapped. */
size_t mappings_release(struct extents *extents);

#endif
