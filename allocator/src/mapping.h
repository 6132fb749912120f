/* SPDX-License-Identifier: MIT */
/*
 * Extents with a mapping of their own: large blocks that are mapped and unmapped one by one, and
 * grow by moving page tables instead of bytes.
 *
 * If the system refuses to unmap a freed mapping, the extent is pending: it keeps its descriptor,
 * and the next allocation of a mapping, trim or out-of-memory retry tries again.
 */
#ifndef ANVIL_MAPPING_H
#define ANVIL_MAPPING_H

#include "extent.h"

/* As extent_alloc; the memory is fresh, the state EXTENT_MAPPING. */
int mapping_alloc(struct extents *extents, size_t pages, size_t alignment,
                  struct extent **ret_extent);
/* Frees it. Never fails. */
void mapping_free(struct extents *extents, struct extent *extent);
/* Resizes to `pages`, in place if possible, else at a new address; the content is kept. Returns 0,
 * or ENOMEM with nothing changed. */
int mapping_resize(struct extents *extents, struct extent *extent, size_t pages);
/* Tries again to unmap what is pending. Returns the bytes unmapped. */
size_t mappings_retry(struct extents *extents);

#endif
