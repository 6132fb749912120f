/* SPDX-License-Identifier: MIT */
/* aligned_alloc. */
#include "conformance/kit.h"

PROBE(aligned_alloc_takes_any_size, "C23-7.24.3.1-p2-d")
{
    static const size_t requests[][2] = {{64, 65}, {4096, 1}, {16, 17}};
    NEED(aligned_alloc);
    for (size_t i = 0; i < COUNT(requests); i++) {
        size_t alignment = requests[i][0], size = requests[i][1];
        errno = UNTOUCHED;
        void *block = aligned_alloc(alignment, size);
        EXPECT(block != NULL, "aligned_alloc(%zu, %zu): expected a block, observed NULL with errno %d", alignment, size, errno);
        EXPECT(is_aligned(block, alignment), "aligned_alloc(%zu, %zu): expected a multiple of %zu, observed %p", alignment, size, alignment,
               block);
        free(block);
    }
    return PASS;
}
