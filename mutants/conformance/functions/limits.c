/* SPDX-License-Identifier: MIT */
/* Heaps that do not live well with limits. */
#include "mutants/conformance/mutant.h"

#include <sys/mman.h>

static void *abort_without_memory(size_t size)
{
    void *block = base_malloc(size);
    if (block == NULL && size < SIZE_MAX / 4)
        abort();
    return block;
}
MUTANT(shortage_ends_the_process, .malloc = abort_without_memory)

static void *keep_errno(size_t size)
{
    int before = errno;
    void *block = base_malloc(size);
    errno = before;
    return block;
}
MUTANT(shortage_leaves_errno, .malloc = keep_errno)

/* Once refused, the heap counts as full for ever. */
static void *remember_refusal(size_t size)
{
    static bool is_full;
    void *block = is_full ? NULL : base_malloc(size);
    is_full |= block == NULL && size <= 1 << 20;
    if (is_full)
        errno = ENOMEM;
    return block;
}
MUTANT(shortage_is_for_ever, .malloc = remember_refusal)

/* All that may ever be needed is reserved at the start. */
static void *reserve_at_start(size_t size)
{
    static void *reserve;
    if (reserve == NULL)
        reserve = mmap(NULL, (size_t)16 << 30, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return reserve == MAP_FAILED ? NULL : base_malloc(size);
}
MUTANT(huge_reserve_at_start, .malloc = reserve_at_start)
