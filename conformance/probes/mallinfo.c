/* SPDX-License-Identifier: MIT */
/*
 * mallinfo and mallinfo2. A replacement need not count: fields that stay zero (all, `arena`,
 * `hblks`) are recorded. Fields with a value must mean what the glibc manual says.
 */
#include "conformance/testlib.h"

#include <limits.h>
#include <pthread.h>

/* mallinfo2, or mallinfo where there is no other. */
static struct mallinfo2 read_info(void)
{
    if (HAS(mallinfo2))
        return mallinfo2();
    struct mallinfo narrow = mallinfo();
    return (struct mallinfo2){.arena = (unsigned)narrow.arena,
                              .ordblks = (unsigned)narrow.ordblks,
                              .smblks = (unsigned)narrow.smblks,
                              .hblks = (unsigned)narrow.hblks,
                              .hblkhd = (unsigned)narrow.hblkhd,
                              .usmblks = (unsigned)narrow.usmblks,
                              .fsmblks = (unsigned)narrow.fsmblks,
                              .uordblks = (unsigned)narrow.uordblks,
                              .fordblks = (unsigned)narrow.fordblks,
                              .keepcost = (unsigned)narrow.keepcost};
}

/* A replacement that has the function for the sake of linking only. */
static bool is_all_zero(struct mallinfo2 info)
{
    return !is_libc_malloc() && find_nonzero(&info, sizeof info) == sizeof info;
}

PROCESS_PROBE(bytes_in_use_follow_the_blocks, "GLIBC-mallinfo-1", NEEDS(mallinfo2))
{
    enum { BLOCKS = 64, SIZE = 20480, CACHED = 64 << 10 };
    void *blocks[BLOCKS];
    if (HAS(mallopt))
        mallopt(-4 /* M_MMAP_MAX */, 0);
    free(malloc(SIZE));
    size_t before = read_info().uordblks;
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(SIZE);
        EXPECT_BLOCK(blocks[i], "malloc(%d)", SIZE);
    }
    struct mallinfo2 info = read_info();
    for (size_t i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    size_t after = read_info().uordblks;
    if (is_all_zero(info))
        return RECORDED("mallinfo2(): zeros only: a replacement may count nothing");
    EXPECT(
        info.uordblks >= before + COUNT(blocks) * SIZE,
        "mallinfo2().uordblks with %d blocks of %d bytes more: expected %zu or more, observed %zu",
        BLOCKS, SIZE, before + COUNT(blocks) * SIZE, info.uordblks);
    EXPECT(after <= before + CACHED,
           "mallinfo2().uordblks after these were freed: expected %zu or less, observed %zu",
           before + CACHED, after);
    return PASS;
}

PROCESS_PROBE(arena_is_what_is_used_and_free, "GLIBC-mallinfo-2", NEEDS(mallinfo2))
{
    enum { BLOCKS = 512 };
    void *blocks[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(i * 31 + 1);
        EXPECT_BLOCK(blocks[i], "malloc(%zu)", i * 31 + 1);
    }
    for (size_t i = 0; i < BLOCKS; i += 3)
        free(blocks[i]);
    struct mallinfo2 info = read_info();
    if (info.arena == 0 && !is_libc_malloc())
        return RECORDED("mallinfo2(): arena 0 with %d blocks live: a replacement may have none",
                        BLOCKS);
    EXPECT(info.usmblks == 0, "mallinfo2().usmblks: expected 0, observed %zu", info.usmblks);
    EXPECT(info.arena == info.uordblks + info.fordblks,
           "mallinfo2(): expected arena to be uordblks + fordblks, observed %zu and %zu + %zu",
           info.arena, info.uordblks, info.fordblks);
    return PASS;
}

PROCESS_PROBE(mapped_blocks_are_counted, "GLIBC-mallinfo-3", NEEDS(mallinfo2))
{
    struct mallinfo2 before = read_info();
    void *block = malloc(64 * MIB);
    struct mallinfo2 during = read_info();
    free(block);
    struct mallinfo2 after = read_info();
    EXPECT(block != NULL, "malloc(%zu): expected a block, observed NULL", 64 * MIB);
    if (!is_libc_malloc() && during.hblks == before.hblks &&
        (during.hblks == 0 || during.hblkhd == before.hblkhd))
        return RECORDED("malloc(%zu): mallinfo2().hblks is %zu and hblkhd %zu as before: a "
                        "replacement may count no block as mapped",
                        64 * MIB, during.hblks, during.hblkhd);
    EXPECT(
        during.hblks == before.hblks + 1 && during.hblkhd >= before.hblkhd + 64 * MIB,
        "malloc(%zu): expected mallinfo2().hblks %zu and hblkhd %zu or more, observed %zu and %zu",
        64 * MIB, before.hblks + 1, before.hblkhd + 64 * MIB, during.hblks, during.hblkhd);
    EXPECT(after.hblks == before.hblks && after.hblkhd == before.hblkhd,
           "free of %zu bytes: expected mallinfo2().hblks %zu and hblkhd %zu as before, observed "
           "%zu and %zu",
           64 * MIB, before.hblks, before.hblkhd, after.hblks, after.hblkhd);
    return PASS;
}

PROCESS_PROBE(five_gibibytes_are_not_truncated, "GLIBC-mallinfo-4", NEEDS(mallinfo2))
{
    enum { BLOCKS = 5 };
    void *blocks[BLOCKS];
    if (sizeof(size_t) < 8)
        return UNSUPPORTED("size_t has %zu bytes", sizeof(size_t));
    struct mallinfo2 before = read_info();
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(GIB);
        if (blocks[i] == NULL)
            return UNSUPPORTED("no address space for 5 GiB");
    }
    struct mallinfo2 during = read_info();
    for (size_t i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    if (is_all_zero(during))
        return RECORDED("mallinfo2(): zeros only: a replacement may count nothing");
    size_t mapped = during.hblkhd - before.hblkhd, used = during.uordblks - before.uordblks;
    EXPECT(mapped >= BLOCKS * GIB || (!is_libc_malloc() && mapped + used >= BLOCKS * GIB),
           "mallinfo2() with 5 blocks of 1 GiB more: expected hblkhd to grow by %zu, observed %zu, "
           "and uordblks by %zu",
           BLOCKS * GIB, mapped, used);
    return PASS;
}

/* The fields of the first structure as those of the second. */
static bool is_narrowed(struct mallinfo narrow, struct mallinfo2 wide)
{
    const int *narrow_field = &narrow.arena;
    const size_t *wide_field = &wide.arena;
    bool is_same = true;
    for (size_t i = 0; i < sizeof narrow / sizeof(int); i++)
        is_same = is_same && (narrow_field[i] == (int)wide_field[i] || wide_field[i] > INT_MAX);
    return is_same;
}

PROCESS_PROBE(mallinfo_is_mallinfo2_in_int, "GLIBC-mallinfo-5", NEEDS(mallinfo) | NEEDS(mallinfo2))
{
    void *small = malloc(100), *freed = malloc(100), *large = malloc(MIB);
    free(freed); /* so that the counts of free blocks are not zero in both */
    struct mallinfo narrow = mallinfo();
    struct mallinfo2 wide = mallinfo2();
    free(small);
    free(large);
    EXPECT(is_narrowed(narrow, wide),
           "mallinfo(): expected the fields of mallinfo2() as int, observed arena %d and %zu, "
           "uordblks %d and %zu, fordblks %d and %zu, "
           "hblkhd %d and "
           "%zu",
           narrow.arena, wide.arena, narrow.uordblks, wide.uordblks, narrow.fordblks, wide.fordblks,
           narrow.hblkhd, wide.hblkhd);
    return PASS;
}

/* Allocates and asks in turn. */
static void *ask_while_allocating(void *seed)
{
    enum { TIMES = 250, BLOCKS = 32 };
    void *blocks[BLOCKS] = {NULL};
    uint32_t random = (uint32_t)(uintptr_t)seed;
    for (size_t i = 0; i < TIMES; i++) {
        for (size_t j = 0; j < BLOCKS; j++) {
            free(blocks[j]);
            blocks[j] = malloc(next_random(&random) % 4096);
        }
        if (HAS(mallinfo))
            mallinfo();
        read_info();
    }
    for (size_t j = 0; j < BLOCKS; j++)
        free(blocks[j]);
    return NULL;
}

PROCESS_PROBE(asking_while_threads_allocate_is_harmless, "GLIBC-mallinfo-6")
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    if (!HAS(mallinfo) && !HAS(mallinfo2))
        return probe_say(OUTCOME_NOT_APPLICABLE, "the subject has neither mallinfo nor mallinfo2");
    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, ask_while_allocating, (void *)(i + 1)) != 0)
            return UNSUPPORTED("thread %zu could not be created", i + 1);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return PASS;
}
