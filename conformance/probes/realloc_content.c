/* SPDX-License-Identifier: MIT */
/* realloc: the content, the address and the alignment of the result. */
#include "conformance/testlib.h"

static const size_t resize_sizes[] = {1,
                                      8,
                                      15,
                                      16,
                                      17,
                                      24,
                                      100,
                                      KIB,
                                      4095,
                                      4096,
                                      4097,
                                      64 * KIB,
                                      128 * KIB - 1,
                                      128 * KIB,
                                      128 * KIB + 1,
                                      MIB,
                                      4 * MIB};

static enum probe_outcome resize_once(size_t from, size_t to)
{
    size_t kept = from < to ? from : to;
    unsigned seed = (unsigned)(from + to);
    void *block = malloc(from), *neighbour = malloc(from < 4096 ? from : 1);
    EXPECT_BLOCK(block, "malloc(%zu)", from);
    fill(block, from, seed);
    void *resized = realloc(block, to);
    EXPECT_BLOCK(resized, "realloc(malloc(%zu), %zu)", from, to);
    EXPECT_FILLED(resized, kept, seed, "realloc(malloc(%zu), %zu)", from, to);
    free(neighbour);
    free(resized);
    return PASS;
}

PROBE(realloc_keeps_the_common_prefix, "C23-7.24.3.7-p2-b", NEEDS(realloc))
{
    for (size_t i = 0; i < COUNT(resize_sizes); i++)
        for (size_t k = 0; k < COUNT(resize_sizes); k++)
            TRY(resize_once(resize_sizes[i], resize_sizes[k]));
    uint32_t random = 5;
    size_t size = 1;
    unsigned char *block = malloc(size);
    EXPECT_BLOCK(block, "malloc(1)");
    for (unsigned step = 0; step < 2000; step++) {
        size_t next = 1 + next_random(&random) % ((size_t)64 << next_random(&random) % 10),
               kept = size < next ? size : next;
        fill(block, size, step);
        block = realloc(block, next);
        EXPECT_BLOCK(block, "realloc from %zu to %zu bytes", size, next);
        EXPECT_FILLED(block, kept, step, "realloc from %zu to %zu bytes", size, next);
        size = next;
    }
    free(block);
    return PASS;
}

PROBE(what_lies_in_the_bytes_that_realloc_adds, "C23-7.24.3.7-p2-c", NEEDS(realloc))
{
    enum { FROM = 100, TO = 1000, TIMES = 64 };
    static void *secrets[TIMES];
    unsigned stale = 0;
    for (int i = 0; i < TIMES; i++) {
        secrets[i] = malloc(TO);
        if (secrets[i] != NULL)
            memset(secrets[i], 0xA5, TO);
    }
    for (int i = 0; i < TIMES; i++)
        free(secrets[i]);
    for (int i = 0; i < TIMES; i++) {
        unsigned char *block = malloc(FROM), *grown = block != NULL ? realloc(block, TO) : NULL;
        EXPECT_BLOCK(grown, "realloc(malloc(%d), %d)", FROM, TO);
        for (int k = FROM; k < TO; k++)
            stale += grown[k] == 0xA5;
    }
    return RECORDED("realloc(malloc(%d), %d) %d times: observed %u of %d added bytes with the "
                    "content of freed blocks",
                    FROM, TO, TIMES, stale, TIMES * (TO - FROM));
}

PROBE(how_often_realloc_moves, "C23-7.24.3.7-p4-a", NEEDS(realloc))
{
    unsigned moves = 0, tries = 0;
    for (size_t i = 0; i < COUNT(resize_sizes); i++) {
        for (size_t k = 0; k < COUNT(resize_sizes); k++) {
            uintptr_t block = (uintptr_t)malloc(resize_sizes[i]),
                      resized = (uintptr_t)realloc((void *)block, resize_sizes[k]);
            moves += resized != block;
            tries++;
            free((void *)resized);
        }
    }
    return RECORDED("realloc between sizes from 1 byte to 4 MiB, %u calls: observed %u moves",
                    tries, moves);
}

/* Resizes a block from one size to the next; every result must be aligned like malloc's. */
static enum probe_outcome resize_through(void *block, const char *source)
{
    static const size_t sizes[] = {16,   24,   40,  56,    100,    200,         24, 1000,
                                   1032, 4104, 100, 70000, 300008, 2 * MIB + 8, 40, 17};
    EXPECT_BLOCK(block, "%s", source);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        void *neighbour = malloc(sizes[i]);
        block = realloc(block, sizes[i]);
        EXPECT_BLOCK(block, "realloc of %s to %zu", source, sizes[i]);
        EXPECT_ALIGNED(block, _Alignof(max_align_t), "realloc of %s to %zu", source, sizes[i]);
        free(neighbour);
    }
    free(block);
    return PASS;
}

static enum probe_outcome make_of_nothing(void)
{
    for (size_t size = 16; size <= 2 * MIB; size *= 2) {
        void *one = realloc(NULL, size), *other = realloc(NULL, size);
        EXPECT_BLOCK(one, "realloc(NULL, %zu)", size);
        EXPECT_BLOCK(other, "realloc(NULL, %zu)", size);
        EXPECT_ALIGNED(one, _Alignof(max_align_t), "realloc(NULL, %zu)", size);
        EXPECT_ALIGNED(other, _Alignof(max_align_t), "realloc(NULL, %zu)", size);
        free(one);
        free(other);
    }
    return PASS;
}

PROBE(realloc_aligns_like_malloc, "C23-7.24.3.7-p4-c", NEEDS(realloc) | NEEDS(full_alignment))
{
    TRY(make_of_nothing());
    for (int round = 0; round < 20; round++) {
        TRY(resize_through(malloc(1), "malloc(1)"));
        if (HAS(calloc))
            TRY(resize_through(calloc(3, 5), "calloc(3, 5)"));
        TRY(resize_through(malloc(100), "malloc(100)"));
        if (HAS(aligned_alloc)) {
            TRY(resize_through(aligned_alloc(4096, 4096), "aligned_alloc(4096, 4096)"));
            TRY(resize_through(aligned_alloc(64, 64), "aligned_alloc(64, 64)"));
        }
    }
    return PASS;
}

PROBE(whether_realloc_keeps_a_greater_alignment, "C23-7.24.3.7-p4-d",
      NEEDS(aligned_alloc) | NEEDS(realloc))
{
    enum { ALIGNMENT = 4096, TIMES = 32 };
    unsigned kept = 0;
    for (size_t i = 0; i < TIMES; i++) {
        void *block = aligned_alloc(ALIGNMENT, ALIGNMENT),
             *resized = block != NULL ? realloc(block, 100 + 300 * i) : NULL;
        EXPECT_BLOCK(resized, "realloc(aligned_alloc(%d, %d), %zu)", ALIGNMENT, ALIGNMENT,
                     100 + 300 * i);
        kept += is_aligned(resized, ALIGNMENT);
    }
    return RECORDED("realloc of aligned_alloc(%d, %d) to 100 and up to %d bytes: observed %u of %d "
                    "results aligned to %d",
                    ALIGNMENT, ALIGNMENT, 100 + 300 * (TIMES - 1), kept, TIMES, ALIGNMENT);
}
