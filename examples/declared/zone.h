/* SPDX-License-Identifier: MIT */
/*
 * Sizes are not 0 and blocks are not NULL. Any thread may call. A function that fails returns NULL
 * and leaves errno alone.
 *
 * flags: the base-2 logarithm of the alignment, which is 16 at least, and ZONE_ZERO.
 */
#ifndef ZONE_H
#define ZONE_H

#include <stddef.h>

enum { ZONE_ALIGN_MASK = 63, ZONE_ZERO = 64 };

void *zone_allocx(size_t size, int flags);
/* Of the alignment that the flags say; the old block stays where this fails. */
void *zone_resizex(void *block, size_t size, int flags);
void zone_freex(void *block, int flags);
/* Bytes that may be used, at least the size asked for. */
size_t zone_sizex(void *block, int flags);

#endif
