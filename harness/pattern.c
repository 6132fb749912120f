/* SPDX-License-Identifier: MIT */
/*
 * The hot loops of the harness: everything else here costs little beside them. Word i of a block is seed + i * STEP, so that a loop needs
 * one addition a word and the compiler turns it into vector code. Not sanitized: a subject's memory is unknown to the sanitizers.
 */
#include "harness/pattern.h"

#include <string.h>

enum {
    WORD = sizeof(uint64_t),
    EDGE = 4096, /* bytes of the windows at both ends of a sampled block; a multiple of WORD */
    STRIPE = 64, /* bytes of the windows between */
    STRIPES = 14
};
#define STEP 0x9e3779b97f4a7c15u

#if defined(__clang__)
#define UNCHECKED __attribute__((no_sanitize("address", "undefined", "coverage")))
#else
#define UNCHECKED __attribute__((no_sanitize("address", "undefined")))
#endif

struct window {
    size_t from, to; /* from is a multiple of WORD */
};

static uint64_t word_at(uint64_t seed, size_t position)
{
    return seed + (position / WORD) * STEP;
}

uint8_t pattern_byte(uint64_t seed, size_t position)
{
    return (uint8_t)(word_at(seed, position) >> (position % WORD * 8));
}

UNCHECKED static void fill_window(uint8_t *block, struct window window, uint64_t seed)
{
    uint64_t word = word_at(seed, window.from);
    size_t i = window.from;
    for (; i + WORD <= window.to; i += WORD, word += STEP)
        __builtin_memcpy(block + i, &word, WORD);
    for (; i < window.to; i++)
        block[i] = pattern_byte(seed, i);
}

UNCHECKED static size_t find_wrong(const uint8_t *block, struct window window, uint64_t seed)
{
    for (size_t i = window.from; i < window.to; i++)
        if (block[i] != pattern_byte(seed, i))
            return i;
    return PATTERN_ALL_GOOD;
}

/* Differences are collected without a branch in the loop; only a bad window is searched for its first wrong byte. */
UNCHECKED static size_t verify_window(const uint8_t *block, struct window window, uint64_t seed)
{
    uint64_t expected = word_at(seed, window.from), difference = 0;
    size_t i = window.from;
    for (; i + WORD <= window.to; i += WORD, expected += STEP) {
        uint64_t word;
        __builtin_memcpy(&word, block + i, WORD);
        difference |= word ^ expected;
    }
    for (; i < window.to; i++)
        difference |= (uint64_t)(block[i] ^ pattern_byte(seed, i));
    return difference == 0 ? PATTERN_ALL_GOOD : find_wrong(block, window, seed);
}

UNCHECKED static size_t verify_zero_window(const uint8_t *block, struct window window)
{
    uint64_t sum = 0;
    size_t i = window.from;
    for (; i + WORD <= window.to; i += WORD) {
        uint64_t word;
        __builtin_memcpy(&word, block + i, WORD);
        sum |= word;
    }
    for (; i < window.to; i++)
        sum |= block[i];
    if (sum == 0)
        return PATTERN_ALL_GOOD;
    for (i = window.from; block[i] == 0; i++)
        ;
    return i;
}

static unsigned count_windows(size_t capacity, size_t fill_max)
{
    return capacity <= fill_max || capacity <= 2 * EDGE + STRIPES * STRIPE ? 1 : STRIPES + 2;
}

/* Window 0 is the head, the last one the tail, stripes lie evenly between. */
static struct window take_window(size_t capacity, unsigned index, unsigned count)
{
    if (count == 1)
        return (struct window){0, capacity};
    if (index == 0)
        return (struct window){0, EDGE};
    if (index == count - 1)
        return (struct window){(capacity - EDGE) / WORD * WORD, capacity};
    size_t from = EDGE + (capacity - 2 * EDGE) / (STRIPES + 1) * index / WORD * WORD;
    return (struct window){from, from + STRIPE};
}

void pattern_fill(uint8_t *block, size_t capacity, size_t fill_max, uint64_t seed)
{
    unsigned count = count_windows(capacity, fill_max);
    for (unsigned i = 0; i < count; i++)
        fill_window(block, take_window(capacity, i, count), seed);
}

size_t pattern_verify(const uint8_t *block, size_t capacity, size_t limit, size_t fill_max, uint64_t seed)
{
    unsigned count = count_windows(capacity, fill_max);
    for (unsigned i = 0; i < count; i++) {
        struct window window = take_window(capacity, i, count);
        if (window.to > limit)
            window.to = limit;
        if (window.from >= window.to)
            continue;
        size_t wrong = verify_window(block, window, seed);
        if (wrong != PATTERN_ALL_GOOD)
            return wrong;
    }
    return PATTERN_ALL_GOOD;
}

size_t pattern_verify_zero(const uint8_t *block, size_t size, size_t fill_max)
{
    unsigned count = count_windows(size, fill_max);
    for (unsigned i = 0; i < count; i++) {
        size_t wrong = verify_zero_window(block, take_window(size, i, count));
        if (wrong != PATTERN_ALL_GOOD)
            return wrong;
    }
    return PATTERN_ALL_GOOD;
}
