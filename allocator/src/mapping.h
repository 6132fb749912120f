/* SPDX-License-Identifier: MIT */
/*
 * Extents with a mapping of their own: large blocks go to the system and come back from it one by
 * one, and grow by moving page tables instead of bytes.
 *
 * When the system refuses to take a freed mapping back, the extent is parked: it stays known, and
 * is offered again whenever mappings are taken or given later.
 */
#ifndef ANVIL_MAPPING_H
#define ANVIL_MAPPING_H

#include "extent.h"

/* As extent_alloc; the memory is fresh, the state EXTENT_MAPPING. */
int mapping_alloc(struct extents *extents, size_t pages, size_t alignment,
                  struct extent **ret_extent);
/* Frees it. Never fails. */
void mapping_free(struct extents *extents, struct extent *extent);
/* Resizes to `pages`, in place if possible, else at a new address; the content stays. Returns 0, or
 * ENOMEM with nothing changed. */
int mapping_resize(struct extents *extents, struct extent *extent, size_t pages);
/* Offers the parked ones to the system again. Returns the bytes that it took. */
size_t mappings_retry(struct extents *extents);

#endif
