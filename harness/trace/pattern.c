/* SPDX-License-Identifier: MIT */
/*
 * The hot loops of the harness. Word i of a block is seed + i * STEP, so that a vector of words
 * needs one addition and the next. Not sanitized: a subject's memory is unknown to the sanitizers.
 *
 * Each loop stands here once and is compiled twice, for any processor and for wide vectors; which
 * one runs is asked once a window. The last vector ends with the last whole word and overlaps the
 * one before. What is no whole word, or too short for vectors, goes by itself.
 */
#include "harness/trace/pattern.h"

#include <stdbool.h>
#include <string.h>

enum {
    WORD = sizeof(uint64_t),
    VECTOR = 4 * WORD,
    STRIPE = 64 /* bytes of a window between the ends of a sampled block */
};
#define STEP 0x9e3779b97f4a7c15u

/* The windows of sampled blocks. */
struct sampling {
    size_t edge; /* bytes of the window at either end; a multiple of WORD */
    size_t stripes;
};
static const struct sampling dense = {4096, 14}, sparse = {2048, 2};

#if defined(__clang__)
#define UNCHECKED __attribute__((no_sanitize("address", "undefined", "coverage")))
#else
#define UNCHECKED __attribute__((no_sanitize("address", "undefined")))
#endif

#define INLINE inline __attribute__((always_inline))
/* Four vectors a turn: counting and jumping would be half of the instructions. */
#if defined(__clang__)
#define UNROLLED _Pragma("clang loop unroll_count(4)")
#else
#define UNROLLED _Pragma("GCC unroll 4")
#endif
#if defined(__x86_64__)
#define WIDE    __attribute__((target("avx2")))
#define IS_WIDE __builtin_cpu_supports("avx2")
#else
#define WIDE
#define IS_WIDE false
#endif

typedef uint64_t vector __attribute__((vector_size(VECTOR)));

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

/* ---- whole words, a vector of them at least: `from` and `to` are multiples of WORD ---- */

UNCHECKED static INLINE void set_words(vector *words, uint64_t seed, size_t position)
{
    uint64_t first = word_at(seed, position);
    *words = (vector){first, first + STEP, first + 2 * STEP, first + 3 * STEP};
}

UNCHECKED static INLINE void add_difference(vector *difference, const uint8_t *bytes,
                                            const vector *expected)
{
    vector loaded;
    __builtin_memcpy(&loaded, bytes, VECTOR);
    *difference |= loaded ^ *expected;
}

UNCHECKED static INLINE void fill_words(uint8_t *block, size_t from, size_t to, uint64_t seed)
{
    vector words;
    set_words(&words, seed, from);
    UNROLLED
    for (size_t i = from; i + VECTOR < to; i += VECTOR, words += VECTOR / WORD * STEP)
        __builtin_memcpy(block + i, &words, VECTOR);
    set_words(&words, seed, to - VECTOR);
    __builtin_memcpy(block + to - VECTOR, &words, VECTOR);
}

/* Differences are collected without a branch in the loop. seed and step 0: all words must be
 * zero. */
UNCHECKED static INLINE bool words_agree(const uint8_t *block, size_t from, size_t to,
                                         uint64_t seed, uint64_t step)
{
    vector words = {0}, difference = {0};
    if (step != 0)
        set_words(&words, seed, from);
    UNROLLED
    for (size_t i = from; i + VECTOR < to; i += VECTOR, words += VECTOR / WORD * step)
        add_difference(&difference, block + i, &words);
    if (step != 0)
        set_words(&words, seed, to - VECTOR);
    add_difference(&difference, block + to - VECTOR, &words);
    return (difference[0] | difference[1] | difference[2] | difference[3]) == 0;
}

WIDE UNCHECKED static void fill_words_wide(uint8_t *block, size_t from, size_t to, uint64_t seed)
{
    fill_words(block, from, to, seed);
}

WIDE UNCHECKED static bool words_agree_wide(const uint8_t *block, size_t from, size_t to,
                                            uint64_t seed)
{
    return words_agree(block, from, to, seed, STEP);
}

WIDE UNCHECKED static bool words_are_zero_wide(const uint8_t *block, size_t from, size_t to)
{
    return words_agree(block, from, to, 0, 0);
}

/* ---- windows ---- */

/* Where the vectors end and the bytes begin. */
static size_t vectors_end(struct window window)
{
    return window.to - window.from < VECTOR ? window.from : window.to / WORD * WORD;
}

UNCHECKED static void fill_window(uint8_t *block, struct window window, uint64_t seed)
{
    size_t end = vectors_end(window);
    if (end > window.from && IS_WIDE)
        fill_words_wide(block, window.from, end, seed);
    else if (end > window.from)
        fill_words(block, window.from, end, seed);
    for (; end + WORD <= window.to; end += WORD) {
        uint64_t word = word_at(seed, end);
        __builtin_memcpy(block + end, &word, WORD);
    }
    for (; end < window.to; end++)
        block[end] = pattern_byte(seed, end);
}

UNCHECKED static size_t find_wrong(const uint8_t *block, size_t from, size_t to, uint64_t seed)
{
    for (; from + WORD <= to; from += WORD) {
        uint64_t word;
        __builtin_memcpy(&word, block + from, WORD);
        if (word != word_at(seed, from))
            break;
    }
    for (size_t i = from; i < to; i++)
        if (block[i] != pattern_byte(seed, i))
            return i;
    return PATTERN_ALL_GOOD;
}

/* Only a bad window is searched for its first wrong byte. */
UNCHECKED static size_t verify_window(const uint8_t *block, struct window window, uint64_t seed)
{
    size_t end = vectors_end(window);
    bool is_good = true;
    if (end > window.from)
        is_good = IS_WIDE ? words_agree_wide(block, window.from, end, seed)
                          : words_agree(block, window.from, end, seed, STEP);
    return find_wrong(block, is_good ? end : window.from, window.to, seed);
}

UNCHECKED static size_t verify_zero_window(const uint8_t *block, struct window window)
{
    size_t end = vectors_end(window);
    bool is_zero = true;
    if (end > window.from)
        is_zero = IS_WIDE ? words_are_zero_wide(block, window.from, end)
                          : words_agree(block, window.from, end, 0, 0);
    for (size_t i = is_zero ? end : window.from; i < window.to; i++)
        if (block[i] != 0)
            return i;
    return PATTERN_ALL_GOOD;
}

/* The windows of one block. */
struct windows {
    const struct sampling *sampling;
    size_t capacity;
    unsigned count;
};

static struct windows find_windows(size_t capacity, size_t fill_max)
{
    const struct sampling *sampling = fill_max < PATTERN_DENSE ? &sparse : &dense;
    bool is_whole =
        capacity <= fill_max || capacity <= 2 * sampling->edge + sampling->stripes * STRIPE;
    return (struct windows){sampling, capacity, is_whole ? 1 : (unsigned)sampling->stripes + 2};
}

/* Window 0 is the head, the last one the tail, stripes lie evenly between. */
static struct window take_window(const struct windows *windows, unsigned index)
{
    size_t edge = windows->sampling->edge, capacity = windows->capacity;
    if (windows->count == 1)
        return (struct window){0, capacity};
    if (index == 0)
        return (struct window){0, edge};
    if (index == windows->count - 1)
        return (struct window){(capacity - edge) / WORD * WORD, capacity};
    size_t distance = (capacity - 2 * edge) / (windows->sampling->stripes + 1);
    size_t from = edge + distance * index / WORD * WORD;
    return (struct window){from, from + STRIPE};
}

void pattern_fill(uint8_t *block, size_t capacity, size_t fill_max, uint64_t seed)
{
    const struct windows windows = find_windows(capacity, fill_max);
    for (unsigned i = 0; i < windows.count; i++)
        fill_window(block, take_window(&windows, i), seed);
}

size_t pattern_verify(const uint8_t *block, size_t capacity, size_t limit, size_t fill_max,
                      uint64_t seed)
{
    const struct windows windows = find_windows(capacity, fill_max);
    for (unsigned i = 0; i < windows.count; i++) {
        struct window window = take_window(&windows, i);
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
    const struct windows windows = find_windows(size, fill_max);
    for (unsigned i = 0; i < windows.count; i++) {
        size_t wrong = verify_zero_window(block, take_window(&windows, i));
        if (wrong != PATTERN_ALL_GOOD)
            return wrong;
    }
    return PATTERN_ALL_GOOD;
}
