/* SPDX-License-Identifier: MIT */
/*
 * What every layer uses: the page unit, arithmetic on sizes, hints for the compiler, and the
 * assertion. README.md has the order of the layers.
 */
#ifndef ANVIL_BASE_H
#define ANVIL_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SHIFT 12
/* The unit of every layer; larger system pages are not supported yet. */
#define PAGE_BYTES      ((size_t)1 << PAGE_SHIFT)
#define BLOCK_ALIGNMENT ((size_t)16)          /* of every block, whatever its size */
#define SIZE_LIMIT      ((size_t)PTRDIFF_MAX) /* larger requests fail */

#define LIKELY(condition)   __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)
#define COLD                __attribute__((cold, noinline))       /* for what few programs run */
#define HIDDEN              __attribute__((visibility("hidden"))) /* reached without the GOT */

/*
 * Anvil's own bugs: what must hold where one layer calls another, in constant time. Off under
 * NDEBUG. Not <assert.h>, whose failure may allocate, and would so wait for a lock that the caller
 * holds. A caller's misuse is never asserted: see panic.h.
 */
#ifdef NDEBUG
#define ASSERT(condition) ((void)sizeof(!!(condition)))
#else
#define ASSERT(condition) \
    (LIKELY(condition) ? (void)0 : panic_assertion(__FILE__, __LINE__, #condition))
#endif
/* Writes "anvil: FILE:LINE: assertion failed: CONDITION" to stderr and aborts. */
COLD _Noreturn void panic_assertion(const char *file, unsigned line, const char *condition);

static inline bool is_power_of_two(size_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

static inline size_t size_round_up(size_t value, size_t power_of_two)
{
    ASSERT(is_power_of_two(power_of_two));
    return (value + power_of_two - 1) & ~(power_of_two - 1);
}

/* Whole pages that hold `size` bytes, at least one. */
static inline size_t pages_for_size(size_t size)
{
    return size == 0 ? 1 : (size + PAGE_BYTES - 1) >> PAGE_SHIFT;
}

static inline bool is_aligned(const void *pointer, size_t power_of_two)
{
    return ((uintptr_t)pointer & (power_of_two - 1)) == 0;
}

/* Is [start, start + length) whole pages, and at least one? */
static inline bool is_page_run(const char *start, size_t length)
{
    return ((uintptr_t)start | length) % PAGE_BYTES == 0 && length != 0;
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
