/* SPDX-License-Identifier: MIT */
/* Broken malloc_trim. */
#include "mutants/conformance/mutant.h"

static int say_minus_one(size_t keep)
{
    return base_malloc_trim(keep) == 1 ? 1 : -1;
}
MUTANT(trim_that_gave_nothing_is_an_error, .malloc_trim = say_minus_one)

static int leave_errno(size_t keep)
{
    int result = base_malloc_trim(keep);
    errno = EAGAIN;
    return result;
}
MUTANT(trim_sets_errno, .malloc_trim = leave_errno)

/* A block that trim takes for free memory. */
static _Atomic(void *) mistaken;

static void *remember_some(size_t size)
{
    void *block = base_malloc(size);
    if (size >= 64 && size % 64 == 0)
        atomic_store(&mistaken, block);
    return block;
}

static void forget(void *block)
{
    void *expected = block;
    atomic_compare_exchange_strong(&mistaken, &expected, NULL);
    base_free(block);
}

static int discard_live(size_t keep)
{
    void *block = atomic_exchange(&mistaken, NULL);
    if (block != NULL)
        memset(block, 0, 64);
    return base_malloc_trim(keep);
}
MUTANT(trim_discards_a_live_block, .malloc = remember_some, .free = forget,
       .malloc_trim = discard_live)
