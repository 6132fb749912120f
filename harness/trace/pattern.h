/* SPDX-License-Identifier: MIT */
/*
 * What a live block is filled with: bytes that depend on the block (its seed) and on the position,
 * so that a shifted, swapped, shortened or stale copy shows. Blocks above fill_max bytes are filled
 * in windows (both ends and stripes between) instead of whole. Below PATTERN_DENSE, fill_max leaves
 * no more than two stripes and half of the ends: each window touches a page, and a page that is
 * touched for the first time costs as much as thousands of bytes that are filled.
 *
 * Positions are offsets in bytes from the block's start; no alignment is assumed. Pure: no memory
 * but the block is touched.
 */
#ifndef HARNESS_PATTERN_H
#define HARNESS_PATTERN_H

#include <stddef.h>
#include <stdint.h>

#define PATTERN_ALL_GOOD SIZE_MAX
/* Bytes that the windows sum up to where there are many. */
#define PATTERN_DENSE ((size_t)9088)

/* The byte that belongs at a position. */
uint8_t pattern_byte(uint64_t seed, size_t position);

/* Fills the windows of a block of `capacity` bytes. */
void pattern_fill(uint8_t *block, size_t capacity, size_t fill_max, uint64_t seed);
/* Verifies those windows up to `limit` bytes. Returns the position of the first wrong byte or
 * PATTERN_ALL_GOOD. */
size_t pattern_verify(const uint8_t *block, size_t capacity, size_t limit, size_t fill_max,
                      uint64_t seed);
/* Verifies that all bytes in the windows of a block of `size` bytes are zero. Returns likewise. */
size_t pattern_verify_zero(const uint8_t *block, size_t size, size_t fill_max);

#endif
