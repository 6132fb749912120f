/* SPDX-License-Identifier: MIT */
/* malloc: the whole block is usable, and a failure sets errno. */
#include "conformance/testlib.h"

PROBE(malloc_gives_the_requested_size, "C23-7.24.3.6-p2-a")
{
    for (size_t size = 1; size <= SIZE_LAST; size = next_size(size))
        TRY(use_blocks(&by_malloc, size, 4));
    return PASS;
}

PROBE(malloc_does_not_wrap_huge_sizes, "C23-7.24.3.6-p3-a")
{
    for (size_t size = 16; size <= 4096; size *= 2)
        free(malloc(size));
    for (size_t i = 0; i < 9001 + HUGE_COUNT; i++) {
        size_t size = i <= 9000 ? SIZE_MAX - i : huge_size(i - 9001);
        void *block = malloc(size);
        EXPECT_NULL(block, "malloc(%zu)", size);
    }
    return PASS;
}

static enum probe_outcome judge_any_errno(const struct allocating_call *by, const char *call,
                                          int error)
{
    (void)by;
    EXPECT(error != UNTOUCHED && error != 0,
           "%s: expected NULL with an errno, observed NULL and errno %s", call,
           error == 0 ? "set to 0" : "as it was");
    return PASS;
}

PROBE(malloc_sets_errno_when_it_fails, "POSIX17-malloc-1", NEEDS(failure_errno))
{
    return judge_failures(&by_malloc, 0, 256 * MIB, judge_any_errno);
}

PROBE(malloc_fails_with_enomem, "POSIX17-malloc-2", NEEDS(failure_errno))
{
    return judge_failures(&by_malloc, 0, 256 * MIB, judge_enomem);
}
