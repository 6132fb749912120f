/* SPDX-License-Identifier: MIT */
/*
 * free_sized and free_aligned_sized with a size or an alignment that differs from the request,
 * which an allocator can check.
 */
#include "conformance/testlib.h"

PROBE(double_free_by_sized_functions, "HARD-double-free-7", NEEDS(free_sized))
{
    void *first = malloc(32), *second = malloc(32);
    free_sized(first, 32);
    free(second);
    CASE("free_sized(p, 32) after free_sized(p, 32)", free_sized(first, 32));
    CASE("free_sized(p, 32) after free(p)", free_sized(second, 32));
    if (!HAS(free_aligned_sized) || !HAS(aligned_alloc))
        return worst_case();
    void *aligned = aligned_alloc(64, 128);
    free_aligned_sized(aligned, 64, 128);
    CASE("free_aligned_sized(p, 64, 128) twice", free_aligned_sized(aligned, 64, 128));
    return worst_case();
}

PROBE(free_sized_with_a_smaller_size, "HARD-sized-small", NEEDS(free_sized))
{
    void *block = malloc(1000);
    MISUSE(free_sized(block, 10));
    return survived();
}

PROBE(free_sized_with_a_larger_size, "HARD-sized-big", NEEDS(free_sized))
{
    void *block = malloc(10);
    CASE("free_sized(malloc(10), 1000)", free_sized(block, 1000));
    CASE("free_sized(malloc(10), SIZE_MAX)", free_sized(block, SIZE_MAX));
    return worst_case();
}

PROBE(free_sized_with_a_size_of_the_same_class, "HARD-sized-sameclass", NEEDS(free_sized))
{
    void *block = malloc(17);
    MISUSE(free_sized(block, 18));
    return survived();
}

PROBE(free_sized_of_an_aligned_block, "HARD-sized-aligned",
      NEEDS(free_sized) | NEEDS(aligned_alloc))
{
    void *block = aligned_alloc(4096, 64);
    MISUSE(free_sized(block, 64));
    return survived();
}

PROBE(free_aligned_sized_with_another_alignment, "HARD-asized-align",
      NEEDS(free_aligned_sized) | NEEDS(aligned_alloc))
{
    void *block = aligned_alloc(64, 128);
    MISUSE(free_aligned_sized(block, 256, 128));
    return survived();
}

PROBE(free_aligned_sized_with_another_size, "HARD-asized-size",
      NEEDS(free_aligned_sized) | NEEDS(aligned_alloc))
{
    void *block = aligned_alloc(64, 128);
    MISUSE(free_aligned_sized(block, 64, 64));
    return survived();
}

PROBE(free_aligned_sized_of_a_block_of_malloc, "HARD-asized-malloc", NEEDS(free_aligned_sized))
{
    void *block = malloc(64);
    MISUSE(free_aligned_sized(block, 64, 64));
    return survived();
}
