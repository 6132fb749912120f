/* SPDX-License-Identifier: MIT */
/* Replacements that do not fit into a process. */
#include "mutants/conformance/mutant.h"

#include <sys/syscall.h>

static void *have_no_aligned_alloc(size_t alignment, size_t size)
{
    (void)alignment, (void)size;
    errno = ENOSYS;
    return NULL;
}
MUTANT(aligned_alloc_is_a_stub, .aligned_alloc = have_no_aligned_alloc)

static void *give_nothing_for_nothing(size_t size)
{
    return size == 0 ? NULL : base_malloc(size);
}
MUTANT(malloc_of_zero_is_null, .malloc = give_nothing_for_nothing)

/* A byte behind the block that was taken last. */
static unsigned char *watched, *watched_end;

static void *watch(size_t size)
{
    unsigned char *block = base_malloc(size);
    if (block == NULL || getenv("MALLOC_CHECK_") == NULL || base_malloc_usable_size(block) == size)
        return block;
    watched = block;
    watched_end = block + size;
    *watched_end = 0xa5;
    return block;
}

static void check_watched(void *block)
{
    if (block != NULL && block == watched && *watched_end != 0xa5)
        abort();
    watched = block == watched ? NULL : watched;
    base_free(block);
}
MUTANT(checking_variable_acts_without_its_library, .malloc = watch, .free = check_watched)

/* The number of processors, read anew by each thread: fopen comes back here. */
static void *read_a_file_first(size_t size)
{
    static _Thread_local bool has_read;
    if (!has_read && syscall(SYS_gettid) != getpid()) {
        FILE *file = fopen("/proc/cpuinfo", "r");
        has_read = file != NULL && fclose(file) == 0;
    }
    return base_malloc(size);
}
MUTANT(malloc_opens_a_file, .malloc = read_a_file_first)
