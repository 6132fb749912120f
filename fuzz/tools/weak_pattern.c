/* SPDX-License-Identifier: MIT */
/*
 * The functions of pattern.h as a simple harness would have them, for fuzz/tools/ablation: linked
 * into a child program, they take the place of pattern.c.
 *
 *     WEAK_ONE_BYTE   every byte of every block is the same
 *     WEAK_ENDS       the first and the last word of a block only
 */
#include "harness/trace/pattern.h"

#include <stdbool.h>

enum { WORD = 8, EDGE = 4096, ONE_BYTE = 0xa5 };

#ifdef WEAK_ENDS
static const bool is_ends_only = true;
#else
static const bool is_ends_only = false;
#endif

uint8_t pattern_byte(uint64_t seed, size_t position)
{
    if (!is_ends_only)
        return ONE_BYTE;
    uint64_t word = seed + position / WORD * 0x9e3779b97f4a7c15u;
    return (uint8_t)(word >> (position % WORD * 8));
}

/* Bytes at either end that are looked at; all of them if both meet. */
static size_t end_size(size_t capacity, size_t fill_max)
{
    if (is_ends_only)
        return WORD;
    return capacity <= fill_max ? capacity : EDGE;
}

/* The position after `i` that is looked at. */
static size_t next_position(size_t i, size_t capacity, size_t end)
{
    return i + 1 == end && capacity > 2 * end ? capacity - end : i + 1;
}

void pattern_fill(uint8_t *block, size_t capacity, size_t fill_max, uint64_t seed)
{
    size_t end = end_size(capacity, fill_max);
    for (size_t i = 0; i < capacity; i = next_position(i, capacity, end))
        block[i] = pattern_byte(seed, i);
}

size_t pattern_verify(const uint8_t *block, size_t capacity, size_t limit, size_t fill_max,
                      uint64_t seed)
{
    size_t end = end_size(capacity, fill_max);
    for (size_t i = 0; i < capacity && i < limit; i = next_position(i, capacity, end))
        if (block[i] != pattern_byte(seed, i))
            return i;
    return PATTERN_ALL_GOOD;
}

size_t pattern_verify_zero(const uint8_t *block, size_t size, size_t fill_max)
{
    size_t end = end_size(size, fill_max);
    for (size_t i = 0; i < size; i = next_position(i, size, end))
        if (block[i] != 0)
            return i;
    return PATTERN_ALL_GOOD;
}
