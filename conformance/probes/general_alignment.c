/* SPDX-License-Identifier: MIT */
/*
 * The alignment that every block must have. The strong reading requires full alignment for every
 * size; C23 requires only the alignment of types that fit.
 */
#include "conformance/testlib.h"

#define FULL_ALIGNMENT _Alignof(max_align_t)

/* What gives blocks without being told an alignment. */
static const struct allocating_call *const plain_calls[] = {&by_malloc, &by_calloc, &by_realloc};

/* The first address of `count` live blocks that is not a multiple; NULL: all are. They are freed
 * again. */
static void *find_misaligned(const struct allocating_call *by, size_t size, size_t count,
                             size_t alignment)
{
    static void *blocks[256];
    void *found = NULL;
    for (size_t i = 0; i < count; i++) {
        blocks[i] = take_from(by, size);
        if (blocks[i] != NULL && !is_aligned(blocks[i], alignment) && found == NULL)
            found = blocks[i];
    }
    for (size_t i = 0; i < count; i++)
        free(blocks[i]);
    return found;
}

PROBE(every_block_is_aligned_for_every_type, "C23-7.24.3-p1-b POSIX17-malloc-5",
      NEEDS(full_alignment))
{
    for (size_t size = 64; size > 0; size--) {
        for (size_t i = 0; i < COUNT(plain_calls); i++) {
            if (!has_call(plain_calls[i]))
                continue;
            void *block = find_misaligned(plain_calls[i], size, 256, FULL_ALIGNMENT);
            EXPECT(block == NULL || size < FULL_ALIGNMENT,
                   "%s: expected a multiple of %zu, observed %p", name_taking(plain_calls[i], size),
                   FULL_ALIGNMENT, block);
            if (block != NULL)
                return WEAK("%s: expected a multiple of %zu in the strong reading, observed %p",
                            name_taking(plain_calls[i], size), FULL_ALIGNMENT, block);
        }
    }
    return PASS;
}

PROBE(every_block_is_aligned_for_what_fits_in, "C23-7.24.3-p1-c", NEEDS(full_alignment))
{
    for (size_t size = 1; size <= 4096; size++) {
        size_t alignment = 1;
        while (alignment * 2 <= size && alignment < FULL_ALIGNMENT)
            alignment *= 2;
        for (size_t i = 0; i < COUNT(plain_calls); i++) {
            if (!has_call(plain_calls[i]))
                continue;
            void *block = find_misaligned(plain_calls[i], size, 16, alignment);
            EXPECT(block == NULL, "%s: expected a multiple of %zu, observed %p",
                   name_taking(plain_calls[i], size), alignment, block);
        }
        void *block = HAS(aligned_alloc) && size % 8 == 0 ? aligned_alloc(8, size) : NULL;
        EXPECT_ALIGNED(block, alignment, "aligned_alloc(8, %zu)", size);
        free(block);
    }
    return PASS;
}

static enum probe_outcome grow_from_one_byte(size_t size)
{
    void *block = malloc(1), *neighbour = malloc(1),
         *grown = block != NULL ? realloc(block, size) : NULL;
    EXPECT_BLOCK(grown, "realloc(malloc(1), %zu)", size);
    EXPECT_ALIGNED(grown, FULL_ALIGNMENT, "realloc(malloc(1), %zu)", size);
    free(neighbour);
    free(grown);
    return PASS;
}

static enum probe_outcome judge_full_alignment(size_t size)
{
    for (size_t i = 0; i < COUNT(plain_calls); i++) {
        if (!has_call(plain_calls[i]))
            continue;
        void *block = find_misaligned(plain_calls[i], size,
                                      size <= 4096 ? 16
                                      : size < MIB ? 8
                                                   : 2,
                                      FULL_ALIGNMENT);
        EXPECT(block == NULL, "%s: expected a multiple of %zu, observed %p",
               name_taking(plain_calls[i], size), FULL_ALIGNMENT, block);
    }
    return HAS(realloc) ? grow_from_one_byte(size) : PASS;
}

PROBE(blocks_of_sixteen_bytes_and_more_are_fully_aligned, "C23-7.24.3-p1-d", NEEDS(full_alignment))
{
    for (size_t size = FULL_ALIGNMENT; size <= 4096; size++)
        TRY(judge_full_alignment(size));
    TRY(judge_full_alignment(64 * KIB));
    TRY(judge_full_alignment(MIB));
    return judge_full_alignment(64 * MIB);
}

PROBE(malloc_aligns_to_two_words, "MAN-malloc-6", NEEDS(full_alignment))
{
    for (size_t size = 1; size <= 4096; size++) {
        void *block = find_misaligned(&by_malloc, size, 8, 2 * sizeof(size_t));
        EXPECT(block == NULL, "malloc(%zu): expected a multiple of %zu, observed %p", size,
               2 * sizeof(size_t), block);
    }
    return PASS;
}
