/* SPDX-License-Identifier: MIT */
/* free_sized and free_aligned_sized of C23. */
#include "conformance/kit.h"

PROBE(free_sized_of_null_does_nothing, "C23-7.24.3.4-p2-a")
{
    static const size_t sizes[] = {0, 1, 16, 4096, SIZE_MAX};
    NEED(free_sized);
    free_sized(NULL, 16);
    size_t resident = resident_bytes();
    for (size_t i = 0; i < 200; i++)
        free_sized(NULL, sizes[i % COUNT(sizes)]);
    size_t growth = resident_bytes() - resident;
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

PROBE(free_sized_is_free, "C23-7.24.3.4-p2-b")
{
    static const size_t sizes[] = {16, 100, 4096, 128 * KIB, 8 * MIB};
    NEED(free_sized);
    for (size_t size = 1; size <= SIZE_LAST; size = next_size(size))
        TRY(take_and_give_sized(size));
    for (size_t i = 0; i < COUNT(sizes); i++) {
        size_t before = 0, rounds = (sizes[i] < KIB ? 16 * MIB : 64 * MIB) / sizes[i];
        for (size_t k = 0; k < rounds; k++) {
            void *block = malloc(sizes[i]);
            EXPECT(block != NULL,
                   "malloc(%zu) and free_sized, round %zu: expected a block, observed NULL",
                   sizes[i], k);
            memset(block, 1, sizes[i]);
            free_sized(block, sizes[i]);
            before = k == rounds / 8 ? resident_bytes() : before;
        }
        size_t after = resident_bytes();
        EXPECT(after < before + 8 * MIB,
               "malloc(%zu) and free_sized, %zu rounds: expected no growth, observed %zu resident "
               "bytes more",
               sizes[i], rounds, after - before);
    }
    return PASS;
}

PROBE(free_sized_takes_blocks_of_zero_bytes, "C23-7.24.3.4-p2-c")
{
    NEED(free_sized);
    for (int i = 0; i < 100; i++)
        free_sized(malloc(0), 0);
    free_sized(calloc(0, 8), 0);
    free_sized(calloc(8, 0), 0);
    return PASS;
}

PROBE(free_sized_takes_the_usable_size, "C23-7.24.3.4-p3-a")
{
    NEED(free_sized);
    NEED(malloc_usable_size);
    for (size_t size = 0; size <= SIZE_LAST; size = next_size(size)) {
        void *block = malloc(size);
        EXPECT(block != NULL || size == 0, "malloc(%zu): expected a block, observed NULL", size);
        free_sized(block, malloc_usable_size(block));
    }
    return PASS;
}

PROBE(free_aligned_sized_of_null_does_nothing, "C23-7.24.3.5-p2-a")
{
    NEED(free_aligned_sized);
    free_aligned_sized(NULL, 64, 10);
    size_t resident = resident_bytes();
    for (size_t i = 0; i < 200; i++)
        free_aligned_sized(NULL, (size_t)1 << i % 13, i);
    size_t growth = resident_bytes() - resident;
    EXPECT(growth < MIB || growth > SIZE_MAX / 2,
           "free_aligned_sized(NULL, a, n) 200 times: expected no effect, observed %zu resident "
           "bytes more",
           growth);
    return PASS;
}

/* One block at a time is live; 16 MiB were, if none came back. */
static enum probe_outcome take_and_give_aligned(size_t alignment, size_t size)
{
    size_t before = 0, rounds = 16 * MIB / (size < 256 ? 256 : size);
    for (size_t i = 0; i < rounds; i++) {
        void *block = aligned_alloc(alignment, size);
        if (block == NULL)
            return PASS; /* an alignment that it does not support */
        memset(block, 1, size);
        free_aligned_sized(block, alignment, size);
        before = i == rounds / 8 ? resident_bytes() : before;
    }
    size_t after = resident_bytes();
    EXPECT(after < before + 4 * MIB,
           "aligned_alloc(%zu, %zu) and free_aligned_sized, %zu rounds: expected no growth, "
           "observed %zu resident bytes more",
           alignment, size, rounds, after - before);
    return PASS;
}

PROBE(free_aligned_sized_is_free, "C23-7.24.3.5-p2-b")
{
    NEED(free_aligned_sized);
    NEED(aligned_alloc);
    for (size_t alignment = 1; alignment <= 4096; alignment *= 2) {
        TRY(take_and_give_aligned(alignment, alignment));
        TRY(take_and_give_aligned(alignment, 3 * alignment));
        TRY(take_and_give_aligned(alignment, alignment + 1));
    }
    return PASS;
}

PROBE(free_aligned_sized_takes_blocks_of_memalign, "GLIBC-free_aligned_sized-1")
{
    static const size_t requests[][2] = {
        {64, 100}, {sizeof(void *), 40}, {16, 100}, {4096, 5000}, {64 * KIB, 10}};
    NEED(free_aligned_sized);
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
