/* SPDX-License-Identifier: MIT */
/* realloc that fails: the old block stays unchanged, and errno has the reason. */
#include "conformance/testlib.h"

/* The block must be alive and as it was: it outlasts new blocks of its size, and can be resized and
 * freed. */
static enum probe_outcome judge_kept(void *block, size_t size, const char *call)
{
    void *others[4];
    for (unsigned i = 0; i < COUNT(others); i++) {
        others[i] = malloc(size);
        if (others[i] != NULL)
            memset(others[i], 0xEE, size);
    }
    EXPECT_FILLED(block, size, 7, "%s, which returned NULL, and the old block", call);
    for (unsigned i = 0; i < COUNT(others); i++)
        free(others[i]);
    void *resized = realloc(block, 2 * size);
    EXPECT_BLOCK(resized, "realloc to %zu after a failure", 2 * size);
    EXPECT_FILLED(resized, size, 7, "realloc to %zu after a failure", 2 * size);
    free(resized);
    return PASS;
}

/* Asks for sizes that cannot be, every `stride`th of them. */
static enum probe_outcome fail_resizes(size_t size, size_t stride, bool is_errno_judged)
{
    char call[80];
    unsigned char *block = malloc(size);
    EXPECT_BLOCK(block, "malloc(%zu)", size);
    fill(block, size, 7);
    for (size_t i = 0; i < HUGE_COUNT; i += stride) {
        CATCH_ERRNO(error, void *resized = realloc(block, huge_size(i)));
        snprintf(call, sizeof call, "realloc(malloc(%zu), %zu)", size, huge_size(i));
        EXPECT_NULL(resized, "%s", call);
        if (is_errno_judged)
            EXPECT_ERRNO(error, ENOMEM, "%s", call);
        EXPECT_FILLED(block, size < 128 ? size : 128, 7,
                      "%s, which returned NULL, and the old block", call);
    }
    return judge_kept(block, size, call);
}

PROBE(realloc_that_fails_leaves_the_block, "C23-7.24.3.7-p3-f POSIX24-realloc-8", NEEDS(realloc))
{
    TRY(fail_resizes(100, 1, false));
    TRY(fail_resizes(5000, 8, false));
    TRY(fail_resizes(MIB, 16, false));
    return fail_resizes(8 * MIB, 64, false);
}

PROBE(realloc_that_fails_with_enomem_leaves_the_block, "POSIX17-realloc-2",
      NEEDS(realloc) | NEEDS(failure_errno))
{
    TRY(fail_resizes(100, 1, true));
    return fail_resizes(MIB, 16, true);
}

PROBE(realloc_without_memory_leaves_the_block, "C23-7.24.3.7-p3-g", NEEDS(realloc))
{
    enum { SIZE = 1000 };
    char call[80];
    for (size_t size = 100; size < 4 * MIB; size *= 4)
        free(realloc(malloc(size), 2 * size));
    void *block = malloc(SIZE);
    EXPECT_BLOCK(block, "malloc(%d)", SIZE);
    fill(block, SIZE, 7);
    if (!limit_memory(64 * MIB))
        return UNSUPPORTED("RLIMIT_AS: expected a limit, observed a refusal");
    EXPECT_REFUSALS();
    for (size_t size = GIB; size <= PTRDIFF_MAX; size *= 2) {
        void *resized = realloc(block, size);
        snprintf(call, sizeof call, "realloc(malloc(%d), %zu) with 64 MiB more", SIZE, size);
        if (resized == NULL)
            return judge_kept(block, SIZE, call);
        block = realloc(resized, SIZE);
        EXPECT_BLOCK(block, "realloc from %zu to %d bytes", size, SIZE);
    }
    return UNSUPPORTED("realloc under a limit of memory: expected a failure, observed none");
}

PROBE(realloc_fails_with_enomem, "POSIX17-realloc-1", NEEDS(realloc) | NEEDS(failure_errno))
{
    static const size_t below_ptrdiff_max[] = {SIZE_MAX / 100 * 49, SIZE_MAX / 10};
    void *block = malloc(100);
    EXPECT_BLOCK(block, "malloc(100)");
    for (size_t i = 0; i < HUGE_COUNT; i++) {
        EXPECT_FAILURE(realloc(block, huge_size(i)), ENOMEM, "realloc(malloc(100), %zu)",
                       huge_size(i));
        EXPECT_FAILURE(realloc(NULL, huge_size(i)), ENOMEM, "realloc(NULL, %zu)", huge_size(i));
    }
    for (size_t i = 0; sizeof(size_t) == 8 && i < COUNT(below_ptrdiff_max); i++)
        EXPECT_FAILURE(realloc(block, below_ptrdiff_max[i]), ENOMEM, "realloc(malloc(100), %zu)",
                       below_ptrdiff_max[i]);
    free(block);
    return PASS;
}

PROBE(realloc_to_less_without_memory, "C23-7.24.3.7-p4-b", NEEDS(realloc))
{
    enum { LESS = 3000 };
    unsigned char *block = malloc(8 * MIB);
    EXPECT_BLOCK(block, "malloc(%zu)", 8 * MIB);
    fill(block, 8 * MIB, 7);
    if (!limit_memory(0))
        return UNSUPPORTED("RLIMIT_AS: expected a limit, observed a refusal");
    CATCH_ERRNO(error, void *resized = realloc(block, LESS));
    EXPECT_FILLED(resized != NULL ? resized : block, resized != NULL ? LESS : 8 * MIB, 7,
                  "realloc(malloc(%zu), %d) without memory, which returned %s", 8 * MIB, LESS,
                  null_or_block(resized));
    if (resized == NULL)
        return RECORDED("realloc(malloc(%zu), %d) without memory: observed NULL with errno %d, the "
                        "old block as it was",
                        8 * MIB, LESS, error);
    return RECORDED("realloc(malloc(%zu), %d) without memory: observed a block with its content",
                    8 * MIB, LESS);
}
