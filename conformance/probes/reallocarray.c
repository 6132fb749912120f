/* SPDX-License-Identifier: MIT */
/* reallocarray: realloc with a checked product. */
#include "conformance/testlib.h"

PROCESS_PROBE(reallocarray_is_there, "POSIX24-reallocarray-1")
{
    void *(*volatile function)(void *, size_t, size_t) = reallocarray;
    EXPECT(function != NULL,
           "reallocarray: expected a function of that name in the process, observed none");
    unsigned char *block = function(NULL, 10, 10);
    EXPECT_BLOCK(block, "reallocarray(NULL, 10, 10)");
    fill(block, 100, 1);
    free(block);
    return PASS;
}

static const size_t array_sizes[] = {
    1, 8, 16, 17, 24, 91, 100, 1000, 4095, 4096, 4097, 64 * KIB, 128 * KIB + 1, MIB};

static enum probe_outcome resize_array(size_t from, size_t count, size_t size)
{
    size_t to = count * size, kept = from < to ? from : to;
    void *block = malloc(from), *neighbour = malloc(from < 4096 ? from : 1);
    EXPECT_BLOCK(block, "malloc(%zu)", from);
    fill(block, from, 3);
    unsigned char *resized = reallocarray(block, count, size), *after = malloc(to);
    EXPECT(resized != NULL && after != NULL,
           "reallocarray(malloc(%zu), %zu, %zu): expected a block, observed NULL with errno %d",
           from, count, size, errno);
    EXPECT_FILLED(resized, kept, 3, "reallocarray(malloc(%zu), %zu, %zu)", from, count, size);
    fill(resized, to, 4);
    memset(after, 0xEE, to);
    EXPECT_FILLED(resized, to, 4,
                  "reallocarray(malloc(%zu), %zu, %zu) and a block after it, both filled", from,
                  count, size);
    free(neighbour);
    free(after);
    free(resized);
    return PASS;
}

PROBE(reallocarray_is_realloc_of_the_product, "POSIX24-reallocarray-2", NEEDS(reallocarray))
{
    for (size_t i = 0; i < COUNT(array_sizes); i++) {
        for (size_t k = 0; k < COUNT(array_sizes); k++) {
            TRY(resize_array(array_sizes[i], 1, array_sizes[k]));
            TRY(resize_array(array_sizes[i], array_sizes[k], 1));
        }
        TRY(resize_array(array_sizes[i], 7, 13));
        TRY(resize_array(array_sizes[i], 13, 7));
        TRY(resize_array(array_sizes[i], 300, 200));
    }
    return PASS;
}

PROBE(reallocarray_of_null_is_malloc_of_the_product, "POSIX24-reallocarray-5", NEEDS(reallocarray))
{
    static const size_t factors[] = {1, 2, 3, 7, 16, 1000};
    for (size_t size = 1; size <= 64 * KIB; size = next_size(size)) {
        for (size_t i = 0; i < COUNT(factors); i++) {
            size_t total = size * factors[i], end = total <= 64 * KIB ? total : 64 * KIB;
            size_t count = size % 2 ? size : factors[i];
            unsigned char *one = reallocarray(NULL, count, total / count),
                          *two = reallocarray(NULL, total / count, count);
            EXPECT(one != NULL && two != NULL,
                   "reallocarray(NULL, %zu, %zu): expected a block, observed NULL with errno %d",
                   count, total / count, errno);
            fill(one + total - end, end, 1);
            fill(two + total - end, end, 2);
            EXPECT_FILLED(one + total - end, end, 1,
                          "reallocarray(NULL, %zu, %zu) twice, both blocks filled", count,
                          total / count);
            free(one);
            free(two);
        }
    }
    return PASS;
}

PROBE(reallocarray_refuses_a_product_that_wraps, "POSIX24-reallocarray-3",
      NEEDS(reallocarray) | NEEDS(realloc))
{
    const size_t size_before = 100;
    unsigned char *block = malloc(size_before), *other;
    EXPECT_BLOCK(block, "malloc(%zu)", size_before);
    fill(block, size_before, 7);
    for (size_t i = 0; i < WRAPS; i++) {
        size_t count = wrapping_factor(i, 0), size = wrapping_factor(i, 1);
        void *resized = reallocarray(block, count, size);
        EXPECT_NULL(resized, "reallocarray(p, %zu, %zu), whose product wraps to %zu", count, size,
                    count * size);
        other = malloc(size_before);
        if (other != NULL)
            memset(other, 0xEE, size_before);
        EXPECT_FILLED(block, size_before, 7,
                      "reallocarray(p, %zu, %zu), which returned NULL, and p", count, size);
    }
    void *grown = realloc(block, 2 * size_before);
    EXPECT_BLOCK(grown, "realloc to %zu after a failure", 2 * size_before);
    EXPECT_FILLED(grown, size_before, 7, "realloc to %zu after a failure", 2 * size_before);
    free(grown);
    return PASS;
}

PROBE(reallocarray_that_refuses_sets_enomem, "POSIX24-reallocarray-4",
      NEEDS(reallocarray) | NEEDS(failure_errno))
{
    void *block = malloc(100);
    for (size_t i = 0; i < (size_t)2 * WRAPS; i++) {
        size_t count = wrapping_factor(i / 2, 0), size = wrapping_factor(i / 2, 1);
        EXPECT_FAILURE(reallocarray(i % 2 == 0 ? block : NULL, count, size), ENOMEM,
                       "reallocarray(%s, %zu, %zu)", i % 2 == 0 ? "p" : "NULL", count, size);
    }
    free(block);
    return PASS;
}
