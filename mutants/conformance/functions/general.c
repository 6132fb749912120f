/* SPDX-License-Identifier: MIT */
/* Blocks that are not what a block must be, whichever function gave them. */
#include "mutants/conformance/mutant.h"

#include <stdbool.h>

/* A size class whose step is 8 bytes: all but multiples of 16 come with half of the alignment. */
static bool is_half_aligned(const void *block)
{
    return (uintptr_t)block % 16 == 8;
}

static void *malloc_in_steps_of_8(size_t size)
{
    if (size % 16 != 8 || size > 1000000)
        return base_malloc(size);
    char *block = base_malloc(size + 16);
    return block != NULL ? block + 8 : NULL;
}

static void free_in_steps_of_8(void *block)
{
    base_free(is_half_aligned(block) ? (char *)block - 8 : block);
}

static void *realloc_in_steps_of_8(void *block, size_t size)
{
    if (block == NULL)
        return malloc_in_steps_of_8(size);
    if (size == 0 || size > 1000000)
        return is_half_aligned(block) ? NULL : base_realloc(block, size);
    size_t old = is_half_aligned(block) ? base_malloc_usable_size((char *)block - 8) - 8
                                        : base_malloc_usable_size(block);
    void *moved = malloc_in_steps_of_8(size);
    if (moved == NULL)
        return NULL;
    memcpy(moved, block, old < size ? old : size);
    free_in_steps_of_8(block);
    return moved;
}
MUTANT(general_half_aligned, .malloc = malloc_in_steps_of_8, .free = free_in_steps_of_8,
       .realloc = realloc_in_steps_of_8)

/* The largest of a size class get a block of its smallest. */
static void *malloc_too_little(size_t size)
{
    return base_malloc(size > 700 && size <= 1024 ? 700 : size);
}
MUTANT(general_too_little, .malloc = malloc_too_little)

/* One count in many gets the caller's own memory. */
static void *reallocarray_on_the_stack(void *block, size_t count, size_t size)
{
    if (block == NULL && count % 100 == 23 && size == 1)
        return (void *)(((uintptr_t)__builtin_frame_address(0) + 4096) / 16 * 16);
    return base_reallocarray(block, count, size);
}
MUTANT(general_on_the_stack, .reallocarray = reallocarray_on_the_stack)

static char no_bytes[16] __attribute__((aligned(16)));

/* All requests for nothing share one address, as in some kernels. */
static void *malloc_shares_nothing(size_t size)
{
    return size == 0 ? no_bytes : base_malloc(size);
}

static void free_shares_nothing(void *block)
{
    base_free(block == no_bytes ? NULL : block);
}

static void *realloc_shares_nothing(void *block, size_t size)
{
    return block == no_bytes ? malloc_shares_nothing(size) : base_realloc(block, size);
}
MUTANT(general_nothing_is_shared, .malloc = malloc_shares_nothing, .free = free_shares_nothing,
       .realloc = realloc_shares_nothing)

/* The address behind a header that is all there is: free does not know it. */
static void *malloc_points_behind(size_t size)
{
    return size == 0 ? (char *)base_malloc(16) + 8 : base_malloc(size);
}
MUTANT(general_nothing_cannot_be_freed, .malloc = malloc_points_behind)

static void *malloc_of_nothing_fails(size_t size)
{
    return size == 0 ? NULL : base_malloc(size);
}
MUTANT(general_nothing_is_null, .malloc = malloc_of_nothing_fails)

/* Saves and restores an errno that it has cleared. */
static void *malloc_clears_errno(size_t size)
{
    errno = 0;
    return base_malloc(size);
}
MUTANT(general_errno_is_cleared, .malloc = malloc_clears_errno)
