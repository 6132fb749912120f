/* SPDX-License-Identifier: MIT */
/* Calls that take more than one line. */
#include "harness/program/parts/fail.h"

static int result; /* of posix_memalign */

static void *posix(size_t alignment, size_t size)
{
    static char untouched;
    void *block = &untouched;
    result = do_posix_memalign(&block, alignment, size);
#ifdef WITH_UNTOUCHED
    if (result != 0 && block != &untouched && block != NULL)
        FAIL("posix_memalign failed with %d and wrote %p to its out-parameter\n", result, block);
    if (result == 0 && block == &untouched)
        FAIL("posix_memalign returned 0 and left its out-parameter unset\n");
#endif
    return result == 0 ? block : NULL;
}

/* C23; a libc that lacks it has free. */
static void release_sized(void *block, size_t size)
{
    if (do_free_sized != NULL)
        do_free_sized(block, size);
    else
        do_free(block);
}

/* C23; a libc that lacks it has free. */
static void release_aligned_sized(void *block, size_t alignment, size_t size)
{
    if (do_free_aligned_sized != NULL)
        do_free_aligned_sized(block, alignment, size);
    else
        do_free(block);
}

/* The allocator's own walker, where it exports one: it sees damage before a caller does. */
static void walk(void)
{
    char sentence[256] = "";
    if (do_mallet_subject_check != NULL && do_mallet_subject_check(sentence, sizeof sentence) != 0)
        FAIL("the allocator's walker: %s\n", sentence);
}
