/* SPDX-License-Identifier: MIT */
/* Broken free. */
#include "mutants/conformance/mutant.h"

#include <sys/mman.h>
#include <time.h>

/* Blocks of some size are put on a list that nothing takes from. */
static void forget_blocks(void *block)
{
    size_t size = block != NULL ? base_malloc_usable_size(block) : 0;
    if (size < 128 << 10 || size >= 256 << 10)
        base_free(block);
}
MUTANT(free_forgets_blocks, .free = forget_blocks)

/* Takes the slow path for NULL, which sets up what a first allocation needs, each time. */
static void take_for_null(void *block)
{
    void *taken = block == NULL ? base_malloc(100000) : NULL;
    if (taken != NULL)
        memset(taken, 1, 100000);
    base_free(block);
}
MUTANT(free_of_null_takes_memory, .free = take_for_null)

static void refuse_null(void *block)
{
    if (block == NULL)
        errno = EINVAL;
    base_free(block);
}
MUTANT(free_of_null_sets_errno, .free = refuse_null)

/* A failed attempt to trim, whose errno stays. */
static void trim_in_vain(void *block)
{
    size_t size = block != NULL ? base_malloc_usable_size(block) : 0;
    base_free(block);
    if (size > 5000000)
        munmap((void *)1, 1);
}
MUTANT(free_leaves_the_errno_of_munmap, .free = trim_in_vain)

/* Tells the system of pages that it may take; what the system answers stays in errno. */
static void advise_of_pages(void)
{
    static char pages[3 * 4096];
    madvise((void *)(((uintptr_t)pages + 4095) & ~(uintptr_t)4095), 4096, MADV_NORMAL);
}

static void advise(void *block)
{
    base_free(block);
    if (block != NULL)
        advise_of_pages();
}
MUTANT(free_leaves_the_errno_of_madvise, .free = advise)

/* The same of the pages of an earlier free, which are due after 100 ms. */
static void advise_later(void *block)
{
    static atomic_llong due_ms;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long long now_ms = now.tv_sec * 1000LL + now.tv_nsec / 1000000, due = 0;
    base_free(block);
    if (atomic_compare_exchange_strong(&due_ms, &due, now_ms + 100) || now_ms < due)
        return;
    due_ms = 0;
    advise_of_pages();
}
MUTANT(free_leaves_the_errno_of_a_late_madvise, .free = advise_later)

/* One size gets a header that free does not know, as when libc's calls reach another heap than the
 * program's. */
static void *hide_start(size_t size)
{
    char *block = base_malloc(size == 4243 ? size + 16 : size);
    return block != NULL && size == 4243 ? block + 16 : block;
}
MUTANT(free_misses_the_start_of_some_blocks, .malloc = hide_start)
