/* SPDX-License-Identifier: MIT */
/*
 * The ground that every layer stands on: the page unit, arithmetic on sizes, and what the compiler
 * is told.
 *
 * The layers, each of which may include only what stands below it:
 *
 *     override                 exports malloc, free, … from libanvil.so
 *     malloc                   C and POSIX semantics, errno, locking
 *     walk, check, stats       visitors over everything below
 *     heap                     routes small / large / mapping, validates pointers, keeps the counts
 *     slab                     fixed-size blocks inside an extent
 *     extent, tree             runs of pages: split, coalesce, fit, grow, trim, purge
 *     pagemap                  address -> extent, for every address
 *     meta                     memory for descriptors, apart from the blocks
 *     pages                    page source: mmap, sbrk, fixed arena
 *     panic, text, sync, base
 */
#ifndef ANVIL_BASE_H
#define ANVIL_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SHIFT 12
/* the unit of every layer; larger system pages are not supported yet */
#define PAGE_BYTES      ((size_t)1 << PAGE_SHIFT)
#define BLOCK_ALIGNMENT ((size_t)16)          /* of every block, whatever its size */
#define SIZE_LIMIT      ((size_t)PTRDIFF_MAX) /* larger requests fail */

#define LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define COLD                __attribute__((cold, noinline))

static inline size_t size_round_up(size_t value, size_t power_of_two)
{
    return (value + power_of_two - 1) & ~(power_of_two - 1);
}

/* Whole pages that hold `size` bytes, at least one. */
static inline size_t pages_for_size(size_t size)
{
    return size == 0 ? 1 : (size + PAGE_BYTES - 1) >> PAGE_SHIFT;
}

static inline bool is_power_of_two(size_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

static inline size_t size_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static inline size_t size_max(size_t a, size_t b)
{
    return a > b ? a : b;
}

#endif
