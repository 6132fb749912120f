/* SPDX-License-Identifier: MIT */
/* What holds of every call: errno is never set to 0, no block is larger than PTRDIFF_MAX; and what
 * only is recorded. */
#include "conformance/kit.h"

static enum probe_outcome judge_errno_of_taking(size_t giver, size_t size)
{
    errno = UNTOUCHED;
    void *block = take_from(giver, size);
    int error = errno;
    EXPECT_FROM(giver, error > 0, "errno after %s: expected as it was or above 0, observed %d",
                name_taking(giver, size), error);
    errno = UNTOUCHED;
    free(block);
    error = errno;
    EXPECT(error > 0, "errno after free: expected as it was or above 0, observed %d", error);
    return PASS;
}

static enum probe_outcome judge_errno_of_resizing(size_t from, size_t to)
{
    void *block = malloc(from);
    errno = UNTOUCHED;
    void *resized = realloc(block, to);
    int error = errno;
    EXPECT(error > 0,
           "errno after realloc(malloc(%zu), %zu): expected as it was or above 0, observed %d",
           from, to, error);
    free(resized != NULL ? resized : block);
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
    for (size_t giver = 0; giver < GIVERS; giver++)
        for (size_t i = 0; i < COUNT(sizes) && has_giver(giver); i++)
            TRY(judge_errno_of_taking(giver, sizes[i]));
    for (size_t i = 0; sizes[i] < 64 * MIB; i++)
        for (size_t k = 0; k < COUNT(sizes) && (sizes[i] <= 1000 || sizes[k] <= 64 * MIB); k++)
            TRY(judge_errno_of_resizing(sizes[i], sizes[k]));
    errno = UNTOUCHED;
    void *block = calloc(SIZE_MAX / 100 + 2, 100);
    int error = errno;
    EXPECT(error > 0, "errno after calloc(%zu, 100): expected as it was or above 0, observed %d",
           SIZE_MAX / 100 + 2, error);
    free(block);
    errno = UNTOUCHED;
    block = HAS(reallocarray) ? reallocarray(NULL, SIZE_MAX / 100 + 2, 100) : NULL;
    error = errno;
    EXPECT(error > 0,
           "errno after reallocarray(NULL, %zu, 100): expected as it was or above 0, observed %d",
           SIZE_MAX / 100 + 2, error);
    free(block);
    return PASS;
}

PROBE(no_block_is_larger_than_a_pointer_difference, "MAN-malloc-2")
{
    for (size_t i = 0; i <= 9001; i++) {
        size_t size = i == 0 ? (size_t)PTRDIFF_MAX + 1 : SIZE_MAX - (i - 1);
        for (size_t giver = 0; giver < GIVERS; giver++) {
            if (!has_giver(giver))
                continue;
            errno = UNTOUCHED;
            void *block = take_from(giver, size);
            int error = errno;
            EXPECT(block == NULL, "%s: expected NULL, observed %p", name_taking(giver, size),
                   block);
            EXPECT(error == ENOMEM, "%s: expected NULL with errno %d (ENOMEM), observed %d%s",
                   name_taking(giver, size), ENOMEM, error,
                   error == UNTOUCHED ? ", as it was" : "");
        }
    }
    return PASS;
}

PROBE(a_block_beyond_ptrdiff_max, "C23-6.5.7-p9-a")
{
    size_t size = (size_t)PTRDIFF_MAX + 1;
    errno = UNTOUCHED;
    void *block = malloc(size);
    int error = errno;
    if (block != NULL)
        return RECORDED("malloc(%zu): observed a block, whose ends have no difference", size);
    return RECORDED("malloc(%zu): observed NULL with errno %d", size, error);
}

PROBE(where_successive_blocks_lie, "C23-7.24.3-p1-a")
{
    enum { BLOCKS = 256, SIZE = 64 };
    unsigned ascending = 0, adjacent = 0;
    uintptr_t before = 0;
    for (int i = 0; i < BLOCKS; i++) {
        uintptr_t block = (uintptr_t)malloc(SIZE);
        EXPECT(block != 0, "malloc(%d): expected a block, observed NULL", SIZE);
        ascending += i > 0 && block > before;
        adjacent += i > 0 && block - before <= 2 * SIZE;
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
        errno = UNTOUCHED;
        void *block = malloc(size);
        int error = errno;
        EXPECT(block != NULL, "malloc(%zu): expected a block, observed NULL with errno %d", size,
               error);
        changes += error != UNTOUCHED;
        if (i % 4 != 0 || size > 4096)
            free(block);
    }
    return RECORDED("malloc of 1 byte to 64 MiB, %d successes: observed %u that changed errno",
                    TIMES, changes);
}
