/* SPDX-License-Identifier: MIT */
/* calloc: room for all members, every byte zero, no product that wraps. */
#include "conformance/testlib.h"

#include <pthread.h>

static enum probe_outcome write_members(size_t count, size_t size)
{
    enum { BLOCKS = 3 };
    unsigned char *blocks[BLOCKS];
    size_t total = count * size;
    for (unsigned i = 0; i < BLOCKS; i++) {
        blocks[i] = calloc(count, size);
        EXPECT_BLOCK(blocks[i], "calloc(%zu, %zu)", count, size);
        fill(blocks[i], total, i);
    }
    for (unsigned i = 0; i < BLOCKS; i++)
        EXPECT_FILLED(blocks[i], total, i, "calloc(%zu, %zu), one of %d", count, size, BLOCKS);
    for (unsigned i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    return PASS;
}

PROBE(calloc_gives_room_for_all_members, "C23-7.24.3.2-p2-a", NEEDS(calloc))
{
    TRY(write_members(7, 13));
    TRY(write_members(13, 7));
    TRY(write_members(1000, 1000));
    for (size_t size = 1; size <= 2 * MIB; size = next_size(size)) {
        TRY(write_members(1, size));
        TRY(write_members(size, 1));
    }
    return PASS;
}

static enum probe_outcome judge_zeros(size_t size)
{
    unsigned char *block = calloc(1, size);
    EXPECT_BLOCK(block, "calloc(1, %zu)", size);
    size_t dirty = find_nonzero(block, size);
    EXPECT(dirty == size,
           "calloc(1, %zu) in recycled memory: expected zeros, observed %d at byte %zu", size,
           block[dirty], dirty);
    free(block);
    return PASS;
}

/* Leaves freed memory behind that is not zero, for sizes around this one too. */
static void make_dirty(size_t size)
{
    void *blocks[4];
    for (size_t i = 0; i < COUNT(blocks); i++) {
        blocks[i] = malloc(size);
        if (blocks[i] != NULL)
            memset(blocks[i], 0xA5, size);
    }
    for (size_t i = 0; i < COUNT(blocks); i++)
        free(blocks[i]);
}

static const size_t thread_sizes[] = {8, 100, 1000, 5000, 40000, 300000, 2 * MIB};

static void *blocks_of_thread[COUNT(thread_sizes)], *blocks_of_main[COUNT(thread_sizes)];

/* Frees what the main thread has filled, and leaves blocks for it to free. */
static void *exchange_blocks(void *unused)
{
    for (size_t i = 0; i < COUNT(thread_sizes); i++) {
        free(blocks_of_main[i]);
        blocks_of_thread[i] = malloc(thread_sizes[i]);
        if (blocks_of_thread[i] != NULL)
            memset(blocks_of_thread[i], 0xA5, thread_sizes[i]);
    }
    return unused;
}

static enum probe_outcome recycle_across_threads(void)
{
    pthread_t thread;
    for (size_t i = 0; i < COUNT(thread_sizes); i++) {
        blocks_of_main[i] = malloc(thread_sizes[i]);
        if (blocks_of_main[i] != NULL)
            memset(blocks_of_main[i], 0xA5, thread_sizes[i]);
    }
    if (pthread_create(&thread, NULL, exchange_blocks, NULL) != 0)
        return UNSUPPORTED("pthread_create: expected a thread, observed none");
    pthread_join(thread, NULL);
    for (size_t i = 0; i < COUNT(thread_sizes); i++)
        free(blocks_of_thread[i]);
    for (size_t i = 0; i < COUNT(thread_sizes); i++)
        for (int round = 0; round < 4; round++)
            TRY(judge_zeros(thread_sizes[i]));
    return PASS;
}

PROBE(calloc_gives_zeros_in_recycled_memory, "C23-7.24.3.2-p2-b", NEEDS(calloc) | NEEDS(threads))
{
    for (size_t round = 0; round < 4; round++) {
        for (size_t size = 1; size <= 4 * MIB; size = next_size(size)) {
            if (size > 64 * KIB && round > 0)
                break;
            make_dirty(size);
            TRY(judge_zeros(size));
        }
        TRY(recycle_across_threads());
        if (HAS(malloc_trim))
            malloc_trim(0);
    }
    void *block = malloc(32 * MIB);
    if (block != NULL)
        memset(block, 0xA5, 32 * MIB);
    free(block);
    return judge_zeros(32 * MIB);
}

/* Dirties a block, shrinks it, dirties what it was grown to again, frees it, and looks at what
 * calloc makes of the remains. */
static enum probe_outcome recycle_after_reallocs(size_t size)
{
    unsigned char *block = malloc(size);
    EXPECT_BLOCK(block, "malloc(%zu)", size);
    memset(block, 0xA5, size);
    block = realloc(block, 10);
    TRY(judge_zeros(size - 16));
    block = block != NULL ? realloc(block, size) : NULL;
    EXPECT_BLOCK(block, "realloc of malloc(%zu) to 10 and back", size);
    memset(block, 0xA5, size);
    free(block);
    TRY(judge_zeros(size));
    TRY(judge_zeros(size / 2));
    return judge_zeros(size - 16);
}

PROBE(calloc_gives_zeros_after_reallocs, "C23-7.24.3.2-p2-c", NEEDS(calloc) | NEEDS(realloc))
{
    static const size_t sizes[] = {100,          1000,     4095,          4096,          4097,
                                   32 * KIB - 1, 32 * KIB, 128 * KIB - 1, 128 * KIB + 1, MIB,
                                   2 * MIB - 1,  2 * MIB,  2 * MIB + 1};
    for (size_t i = 0; i < COUNT(sizes); i++)
        TRY(recycle_after_reallocs(sizes[i]));
    return PASS;
}

PROBE(calloc_refuses_a_product_that_wraps, "C23-7.24.3.2-p3-a C17-7.22.3.2-p2-d", NEEDS(calloc))
{
    for (size_t i = 0; i < WRAPS; i++) {
        size_t count = wrapping_factor(i, 0), size = wrapping_factor(i, 1);
        void *block = calloc(count, size);
        EXPECT_NULL(block, "calloc(%zu, %zu), whose product wraps to %zu (CWE-190)", count, size,
                    count * size);
    }
    return PASS;
}

PROBE(calloc_of_a_huge_number_of_nothing_is_no_overflow, "C23-7.24.3.2-p3-b", NEEDS(calloc))
{
    static const size_t requests[][2] = {
        {0, SIZE_MAX}, {SIZE_MAX, 0}, {0, SIZE_MAX / 2 + 1}, {SIZE_MAX / 2 + 1, 0}};
    void *none = calloc(0, 0);
    for (size_t i = 0; i < COUNT(requests); i++) {
        void *block = calloc(requests[i][0], requests[i][1]);
        EXPECT((block == NULL) == (none == NULL),
               "calloc(%zu, %zu): expected %s as from calloc(0, 0), observed %s", requests[i][0],
               requests[i][1], null_or_block(none), null_or_block(block));
        free(block);
    }
    free(none);
    return PASS;
}

static enum probe_outcome judge_only_enomem(const struct allocating_call *by, const char *call,
                                            int error)
{
    return judge_error(by, call, error, ENOMEM);
}

PROBE(calloc_fails_with_enomem, "POSIX17-calloc-1", NEEDS(calloc) | NEEDS(failure_errno))
{
    for (size_t i = 0; i < WRAPS; i++)
        EXPECT_FAILURE(calloc(wrapping_factor(i, 0), wrapping_factor(i, 1)), ENOMEM,
                       "calloc(%zu, %zu)", wrapping_factor(i, 0), wrapping_factor(i, 1));
    for (size_t i = 0; i < HUGE_COUNT; i++)
        EXPECT_FAILURE(calloc(huge_size(i) / 2 + 1, 2), ENOMEM, "calloc(%zu, 2)",
                       huge_size(i) / 2 + 1);
    return judge_failures(&by_calloc, 0, 256 * MIB, judge_only_enomem);
}
