/* SPDX-License-Identifier: MIT */
/* Broken malloc. */
#include "mutants/conformance/mutant.h"

/* Rounding up wraps to zero. */
static void *malloc_wraps(size_t size)
{
    return base_malloc(size > SIZE_MAX - 15 ? (size + 15) / 16 * 16 : size);
}
MUTANT(malloc_wraps_when_rounding, .malloc = malloc_wraps)

static void *malloc_keeps_errno(size_t size)
{
    int saved = errno;
    void *block = base_malloc(size);
    errno = saved;
    return block;
}
MUTANT(malloc_fails_without_errno, .malloc = malloc_keeps_errno)

/* Says so only where the size is absurd, and not where memory ran out. */
static void *malloc_forgets_shortage(size_t size)
{
    int saved = errno;
    void *block = base_malloc(size);
    if (block == NULL && size <= PTRDIFF_MAX)
        errno = saved;
    return block;
}
MUTANT(malloc_runs_out_without_errno, .malloc = malloc_forgets_shortage)

static void *malloc_calls_it_invalid(size_t size)
{
    void *block = base_malloc(size);
    if (block == NULL)
        errno = EINVAL;
    return block;
}
MUTANT(malloc_fails_with_einval, .malloc = malloc_calls_it_invalid)
