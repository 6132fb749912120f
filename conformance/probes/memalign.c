/* SPDX-License-Identifier: MIT */
/* memalign, as glibc specifies it. */
#include "conformance/testlib.h"

#define TOP (SIZE_MAX / 2 + 1)

PROBE(memalign_aligns_to_powers_of_two, "GLIBC-memalign-1", NEEDS(memalign))
{
    for (size_t alignment = 1; alignment <= 4 * MIB; alignment *= 2) {
        const size_t sizes[] = {1, 1, 1, 1, alignment / 2 + 1, alignment, alignment + 1};
        void *block[COUNT(sizes)]; /* held together, as one alone may be aligned by chance */
        for (unsigned i = 0; i < COUNT(sizes); i++) {
            block[i] = memalign(alignment, sizes[i]);
            EXPECT_BLOCK(block[i], "memalign(%zu, %zu)", alignment, sizes[i]);
            EXPECT_ALIGNED(block[i], alignment, "memalign(%zu, %zu)", alignment, sizes[i]);
            fill(block[i], sizes[i], i);
        }
        for (unsigned i = 0; i < COUNT(sizes); i++) {
            EXPECT_FILLED(block[i], sizes[i], i, "memalign(%zu, %zu)", alignment, sizes[i]);
            free(block[i]);
        }
    }
    return PASS;
}

PROBE(memalign_refuses_or_rounds_up_an_odd_alignment, "GLIBC-memalign-2", NEEDS(memalign))
{
    /* with the next power of two */
    static const size_t alignments[][2] = {{3, 4}, {24, 32}, {100, 128}, {1000, 1024}};
    unsigned refused = 0;
    for (size_t i = 0; i < COUNT(alignments); i++) {
        CATCH_ERRNO(error, void *block = memalign(alignments[i][0], 100));
        if (block == NULL)
            EXPECT_ERRNO(error, EINVAL, "memalign(%zu, 100)", alignments[i][0]);
        EXPECT(is_aligned(block, alignments[i][1]),
               "memalign(%zu, 100): expected NULL or a multiple of %zu, observed %p",
               alignments[i][0], alignments[i][1], block);
        refused += block == NULL;
    }
    return RECORDED("memalign(a, 100), a = 3, 24, 100, 1000: expected EINVAL or the next power of "
                    "two, observed %u refused and %zu rounded up",
                    refused, COUNT(alignments) - refused);
}

PROBE(memalign_says_enomem, "GLIBC-memalign-3", NEEDS(memalign))
{
    for (size_t i = 0; i < HUGE_COUNT; i++)
        EXPECT_FAILURE(memalign(64, huge_size(i)), ENOMEM, "memalign(64, %zu)", huge_size(i));
    CATCH_ERRNO(error, void *block = memalign(TOP + 1, 8));
    EXPECT(block == NULL && (error == EINVAL || error == ENOMEM),
           "memalign(%zu, 8): expected NULL with errno %d (EINVAL) or %d (ENOMEM), observed %s "
           "with errno %d",
           TOP + 1, EINVAL, ENOMEM, null_or_block(block), error);
    return PASS;
}

/* Grows and shrinks a block that memalign gave: whoever copies it must find its start, which need
 * not be that of what it was cut from. */
static enum probe_outcome resize(size_t alignment, size_t size)
{
    const size_t sizes[] = {size + 10, 3 * size, size / 2 + 1, 20 * size, 1};
    size_t kept = size;
    void *block = memalign(alignment, size);
    EXPECT_BLOCK(block, "memalign(%zu, %zu)", alignment, size);
    EXPECT(!HAS(malloc_usable_size) || malloc_usable_size(block) >= size,
           "malloc_usable_size(memalign(%zu, %zu)): expected %zu or more, observed %zu", alignment,
           size, size, malloc_usable_size(block));
    fill(block, size, 1);
    for (size_t i = 0; i < COUNT(sizes); i++) {
        kept = kept < sizes[i] ? kept : sizes[i];
        block = realloc(block, sizes[i]);
        EXPECT_BLOCK(block, "realloc(memalign(%zu, %zu), %zu)", alignment, size, sizes[i]);
        EXPECT_FILLED(block, kept, 1, "realloc(memalign(%zu, %zu), %zu)", alignment, size,
                      sizes[i]);
        fill(block, sizes[i], 1);
        kept = sizes[i];
    }
    free(block);
    return PASS;
}

PROBE(memalign_blocks_can_be_resized, "GLIBC-memalign-4", NEEDS(memalign) | NEEDS(realloc))
{
    static const size_t requests[][2] = {{128, 100},    {32, 6000},    {4096, 5000},
                                         {64 * KIB, 1}, {MIB, 300000}, {8, 40}};
    for (size_t i = 0; i < COUNT(requests); i++)
        TRY(resize(requests[i][0], requests[i][1]));
    return PASS;
}

PROBE(memalign_of_alignment_zero, "GLIBC-memalign-5", NEEDS(memalign))
{
    CATCH_ERRNO(error, void *block = memalign(0, 100));
    if (block == NULL)
        EXPECT_ERRNO(error, EINVAL, "memalign(0, 100)");
    if (block != NULL)
        fill(block, 100, 1);
    free(block);
    return RECORDED("memalign(0, 100): expected a block or errno %d (EINVAL), observed %s", EINVAL,
                    null_or_block(block));
}
