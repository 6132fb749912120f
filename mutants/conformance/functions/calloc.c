/* SPDX-License-Identifier: MIT */
/* Broken calloc. */
#include "mutants/conformance/mutant.h"

static void *calloc_forgets_count(size_t count, size_t size)
{
    return count == 0 || size == 0 || count > SIZE_MAX / size
               ? base_calloc(count, size)
               : base_calloc(count > 1 ? 2 : 1, size);
}
MUTANT(calloc_of_two_at_most, .calloc = calloc_forgets_count)

/* Takes all memory for fresh. */
static void *calloc_clears_nothing(size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        return base_calloc(count, size);
    return base_malloc(total);
}
MUTANT(calloc_clears_nothing, .calloc = calloc_clears_nothing)

static void *calloc_clears_whole_words(size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        return base_calloc(count, size);
    void *block = base_malloc(total);
    if (block != NULL)
        memset(block, 0, total / 8 * 8);
    return block;
}
MUTANT(calloc_forgets_the_last_bytes, .calloc = calloc_clears_whole_words)

/* Takes large blocks for fresh mappings. */
static void *calloc_trusts_mappings(size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total) || total < 16384)
        return base_calloc(count, size);
    return base_malloc(total);
}
MUTANT(calloc_trusts_large_blocks, .calloc = calloc_trusts_mappings)

static void *calloc_wraps(size_t count, size_t size)
{
    return base_calloc(1, count * size);
}
MUTANT(calloc_multiplies_unchecked, .calloc = calloc_wraps)

/* The quick check for large factors, without the exact one behind it. */
static void *calloc_compares_halves(size_t count, size_t size)
{
    if ((count | size) >> (sizeof(size_t) * 8 - 1) != 0) {
        errno = ENOMEM;
        return NULL;
    }
    return base_calloc(count, size);
}
MUTANT(calloc_takes_nothing_for_overflow, .calloc = calloc_compares_halves)

static void *calloc_divides_by_zero(size_t count, size_t size)
{
    /* volatile: compilers find a way around the division */
    volatile size_t most = size > SIZE_MAX / 4 ? SIZE_MAX / count : SIZE_MAX;
    return size > most ? base_calloc(SIZE_MAX, 2) : base_calloc(count, size);
}
MUTANT(calloc_divides_by_a_zero_count, .calloc = calloc_divides_by_zero)

static void *calloc_keeps_errno(size_t count, size_t size)
{
    int saved = errno;
    void *block = base_calloc(count, size);
    errno = saved;
    return block;
}
MUTANT(calloc_fails_without_errno, .calloc = calloc_keeps_errno)
