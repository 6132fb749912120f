/* SPDX-License-Identifier: MIT */
/* Broken aligned_alloc. */
#include "conformance/tests/mutant.h"

static void *want_multiple(size_t alignment, size_t size)
{
    if (alignment != 0 && size % alignment != 0) {
        errno = EINVAL;
        return NULL;
    }
    return base_aligned_alloc(alignment, size);
}
MUTANT(aligned_alloc_wants_a_multiple, "C23-7.24.3.1-p2-d", .aligned_alloc = want_multiple)
