/* SPDX-License-Identifier: MIT */
/*
 * Properties of every call: errno is never set to 0, and no block is larger than PTRDIFF_MAX. Some
 * clauses are only recorded.
 */
#include "conformance/testlib.h"

static enum probe_outcome judge_errno_of_taking(const struct allocating_call *by, size_t size)
{
    CATCH_ERRNO(error, void *block = take_from(by, size));
    EXPECT_FROM(by, error > 0, "errno after %s: expected as it was or above 0, observed %d",
                name_taking(by, size), error);
    CATCH_ERRNO(error_of_free, free(block));
    EXPECT(error_of_free > 0, "errno after free: expected as it was or above 0, observed %d",
           error_of_free);
    return PASS;
}

static enum probe_outcome judge_errno_of_resizing(size_t from, size_t to)
{
    void *block = malloc(from);
    CATCH_ERRNO(error, void *resized = realloc(block, to));
    EXPECT(error > 0,
           "errno after realloc(malloc(%zu), %zu): expected as it was or above 0, observed %d",
           from, to, error);
    free(resized != NULL ? resized : block);
    return PASS;
}

static enum probe_outcome judge_errno_of_overflow(size_t count, size_t size)
{
    CATCH_ERRNO(error, void *block = calloc(count, size));
    EXPECT(error > 0, "errno after calloc(%zu, %zu): expected as it was or above 0, observed %d",
           count, size, error);
    free(block);
    CATCH_ERRNO(error_of_array, block = HAS(reallocarray) ? reallocarray(NULL, count, size) : NULL);
    EXPECT(error_of_array > 0,
           "errno after reallocarray(NULL, %zu, %zu): expected as it was or above 0, observed %d",
           count, size, error_of_array);
    free(block);
    return PASS;
}

PROBE(no_call_sets_errno_to_zero, "C23-7.5-p3-a")
{
    static const size_t sizes[] = {1,
                                   16,
                                   100,
                                   1000,
                                   5000,
                                   40000,
                                   300000,
                                   5000000,
                                   64 * MIB,
                                   PTRDIFF_MAX,
                                   SIZE_MAX - 4096,
                                   SIZE_MAX};
    FOR_EACH_CALL(by)
    for (size_t i = 0; i < COUNT(sizes); i++)
        TRY(judge_errno_of_taking(by, sizes[i]));
    for (size_t i = 0; sizes[i] < 64 * MIB; i++)
        for (size_t k = 0;
             HAS(realloc) && k < COUNT(sizes) && (sizes[i] <= 1000 || sizes[k] <= 64 * MIB); k++)
            TRY(judge_errno_of_resizing(sizes[i], sizes[k]));
    return HAS(calloc) ? judge_errno_of_overflow(SIZE_MAX / 100 + 2, 100) : PASS;
}

PROBE(no_block_is_larger_than_a_pointer_difference, "MAN-malloc-2", NEEDS(failure_errno))
{
    for (size_t i = 0; i <= 9001; i++) {
        size_t size = i == 0 ? (size_t)PTRDIFF_MAX + 1 : SIZE_MAX - (i - 1);
        FOR_EACH_CALL(by)
        {
            CATCH_ERRNO(error, void *block = take_from(by, size));
            EXPECT_NULL(block, "%s", name_taking(by, size));
            TRY(judge_error(by, name_taking(by, size), error, ENOMEM));
        }
    }
    return PASS;
}

PROBE(a_block_beyond_ptrdiff_max, "C23-6.5.7-p9-a")
{
    size_t size = (size_t)PTRDIFF_MAX + 1;
    CATCH_ERRNO(error, void *block = malloc(size));
    if (block != NULL)
        return RECORDED("malloc(%zu): observed a block, whose ends have no difference", size);
    return RECORDED("malloc(%zu): observed NULL with errno %d", size, error);
}

PROBE(where_successive_blocks_lie, "C23-7.24.3-p1-a")
{
    enum { BLOCKS = 256, SIZE = 64, NEAR = 2 * SIZE };
    unsigned ascending = 0, adjacent = 0;
    uintptr_t before = 0;
    for (int i = 0; i < BLOCKS; i++) {
        uintptr_t block = (uintptr_t)malloc(SIZE);
        EXPECT_BLOCK((void *)block, "malloc(%d)", SIZE);
        ascending += i > 0 && block > before;
        adjacent += i > 0 && block - before <= NEAR;
        before = block;
    }
    return RECORDED(
        "malloc(%d) %d times: observed %u blocks above the one before, %u of them right behind it",
        SIZE, BLOCKS, ascending, adjacent);
}

PROBE(how_often_success_changes_errno, "POSIX17-malloc-4")
{
    enum { TIMES = 20000 };
    unsigned changes = 0;
    for (size_t i = 0; i < TIMES; i++) {
        size_t size = i % 5000 == 0 ? 64 * MIB : i % 100 == 0 ? MIB : 1 + i % 4096;
        CATCH_ERRNO(error, void *block = malloc(size));
        EXPECT_BLOCK(block, "malloc(%zu)", size);
        changes += error != UNTOUCHED;
        if (i % 4 != 0 || size > 4096)
            free(block);
    }
    return RECORDED("malloc of 1 byte to 64 MiB, %d successes: observed %u that changed errno",
                    TIMES, changes);
}
