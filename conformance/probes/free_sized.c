/* SPDX-License-Identifier: MIT */
/* free_sized and free_aligned_sized of C23 with correct arguments. */
#include "conformance/testlib.h"

PROBE(free_sized_of_null_does_nothing, "C23-7.24.3.4-p2-a", NEEDS(free_sized))
{
    static const size_t sizes[] = {0, 1, 16, 4096, SIZE_MAX};
    free_sized(NULL, 16);
    size_t resident = memory_resident();
    for (size_t i = 0; i < 200; i++)
        free_sized(NULL, sizes[i % COUNT(sizes)]);
    size_t growth = memory_resident() - resident;
    EXPECT(growth < MIB || growth > SIZE_MAX / 2,
           "free_sized(NULL, n) 200 times: expected no effect, observed %zu resident bytes more",
           growth);
    return PASS;
}

/* Each size from each function that gives blocks for free_sized. */
static enum probe_outcome take_and_give_sized(size_t size)
{
    void *block[] = {malloc(size), calloc(1, size), realloc(malloc(1), size > 0 ? size : 1)};
    for (unsigned i = 0; i < COUNT(block); i++) {
        EXPECT(block[i] != NULL || size == 0,
               "malloc, calloc, realloc of %zu bytes: expected blocks, observed NULL", size);
        if (block[i] != NULL && size > 0)
            ((char *)block[i])[0] = ((char *)block[i])[size - 1] = (char)i;
    }
    for (unsigned i = 0; i < COUNT(block); i++)
        free_sized(block[i], size > 0 || i < 2 ? size : 1);
    return PASS;
}

static void release_sized(void *block, size_t alignment, size_t size)
{
    (void)alignment;
    free_sized(block, size);
}

static const struct releasing_call by_free_sized = {"free_sized", release_sized};

PROBE(free_sized_is_free, "C23-7.24.3.4-p2-b", NEEDS(free_sized) | NEEDS(calloc) | NEEDS(realloc))
{
    static const size_t sizes[] = {16, 100, 4096, 128 * KIB, 8 * MIB};
    for (size_t size = 1; size <= SIZE_LAST; size = next_size(size))
        TRY(take_and_give_sized(size));
    for (size_t i = 0; i < COUNT(sizes); i++)
        TRY(reuse_block(&by_malloc, 0, sizes[i], &by_free_sized));
    return PASS;
}

PROBE(free_sized_takes_blocks_of_zero_bytes, "C23-7.24.3.4-p2-c", NEEDS(free_sized) | NEEDS(calloc))
{
    for (int i = 0; i < 100; i++)
        free_sized(malloc(0), 0);
    free_sized(calloc(0, 8), 0);
    free_sized(calloc(8, 0), 0);
    return PASS;
}

PROBE(free_sized_takes_the_usable_size, "C23-7.24.3.4-p3-a",
      NEEDS(free_sized) | NEEDS(malloc_usable_size))
{
    for (size_t size = 0; size <= SIZE_LAST; size = next_size(size)) {
        void *block = malloc(size);
        if (size > 0)
            EXPECT_BLOCK(block, "malloc(%zu)", size);
        free_sized(block, malloc_usable_size(block));
    }
    return PASS;
}

PROBE(free_aligned_sized_of_null_does_nothing, "C23-7.24.3.5-p2-a", NEEDS(free_aligned_sized))
{
    free_aligned_sized(NULL, 64, 10);
    size_t resident = memory_resident();
    for (size_t i = 0; i < 200; i++)
        free_aligned_sized(NULL, (size_t)1 << i % 13, i);
    size_t growth = memory_resident() - resident;
    EXPECT(growth < MIB || growth > SIZE_MAX / 2,
           "free_aligned_sized(NULL, a, n) 200 times: expected no effect, observed %zu resident "
           "bytes more",
           growth);
    return PASS;
}

static void release_aligned_sized(void *block, size_t alignment, size_t size)
{
    free_aligned_sized(block, alignment, size);
}

static const struct releasing_call by_free_aligned_sized = {"free_aligned_sized",
                                                            release_aligned_sized};

PROBE(free_aligned_sized_is_free, "C23-7.24.3.5-p2-b",
      NEEDS(free_aligned_sized) | NEEDS(aligned_alloc))
{
    for (size_t alignment = 1; alignment <= 4096; alignment *= 2) {
        const size_t sizes[] = {alignment, 3 * alignment, alignment + 1};
        for (size_t i = 0; i < COUNT(sizes); i++) {
            void *block = aligned_alloc(alignment, sizes[i]);
            bool is_supported = block != NULL;
            free(block);
            if (is_supported)
                TRY(reuse_block(&by_aligned_alloc, alignment, sizes[i], &by_free_aligned_sized));
        }
    }
    return PASS;
}

PROBE(free_aligned_sized_takes_blocks_of_memalign, "GLIBC-free_aligned_sized-1",
      NEEDS(free_aligned_sized))
{
    static const size_t requests[][2] = {
        {64, 100}, {sizeof(void *), 40}, {16, 100}, {4096, 5000}, {64 * KIB, 10}};
    for (size_t i = 0; i < COUNT(requests); i++) {
        size_t alignment = requests[i][0], size = requests[i][1];
        void *block = NULL;
        if (HAS(posix_memalign) && posix_memalign(&block, alignment, size) == 0) {
            fill(block, size, 1);
            free_aligned_sized(block, alignment, size);
        }
        block = HAS(memalign) ? memalign(alignment, size) : NULL;
        if (block != NULL) {
            fill(block, size, 1);
            free_aligned_sized(block, alignment, size);
        }
    }
    return PASS;
}
