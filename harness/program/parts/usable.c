/* SPDX-License-Identifier: MIT */
/* Sizes that only the allocator under test knows, and products. */
#include "harness/program/parts/fail.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

/* Whether a function is of the same allocator as malloc: what that lacks must not be taken from the
 * libc. */
static int is_own(void *function)
{
    Dl_info one, other;
    return function != NULL && dladdr((void *)malloc, &one) && dladdr(function, &other) &&
           one.dli_fbase == other.dli_fbase;
}

/* What malloc_usable_size grants, if the allocator has it; else the size. */
static size_t usable(void *block, size_t size)
{
    static int is_known = -1;
    if (is_known < 0)
        is_known = is_own((void *)malloc_usable_size);
    size_t granted = is_known && block != NULL ? malloc_usable_size(block) : size;
    if (granted < size)
        FAIL("malloc_usable_size says %zu of a block of %zu bytes\n", granted, size);
    return granted;
}

static size_t times(size_t count, size_t size)
{
    return size != 0 && count > SIZE_MAX / size ? SIZE_MAX : count * size;
}
