/* SPDX-License-Identifier: MIT */
/*
 * Numbers of the text form. A person should see at once which landmark a size is near, so what is
 * written is one of
 *
 *   48                decimal, below 2^32 always
 *   SIZE_MAX-7        within 1 MiB of SIZE_MAX
 *   PTRDIFF_MAX+1     within 4096 of PTRDIFF_MAX
 *   2^33+16           within 4096 of a power of two
 *   size(#2)+1        requested size of slot 2, and a delta from -16 to 15
 *   usable(#2)-3      usable size of slot 2 likewise
 *
 * Read is more: hexadecimal (0x40), the suffixes K, M and G (64K), and an offset after any of
 * these. No value wraps.
 */
#include "harness/trace/trace_number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NEAR_SIZE_MAX = 1 << 20, NEAR = 4096, DELTA_BELOW = 16, DELTA_ABOVE = 15 };

static const char NOT_A_NUMBER[] = "is not a number";
static const char TOO_LARGE[] = "is too large";
static const char BELOW_ZERO[] = "is below zero";
static const char NOT_A_SLOT[] = "is not a slot: `#` and a number";
static const char SLOT_TOO_LARGE[] = "is not a slot: at most #65535";
static const char DELTA_TOO_LARGE[] = "has an offset that is not within -16 to 15";

/* A landmark and a two's complement offset. */
static size_t offset_format(const char *landmark, uint64_t offset, char *ret_text)
{
    if (offset == 0)
        return (size_t)snprintf(ret_text, NUMBER_TEXT_MAX, "%s", landmark);
    return (size_t)snprintf(ret_text, NUMBER_TEXT_MAX, "%s%+" PRId64, landmark, (int64_t)offset);
}

static bool is_near(uint64_t value, uint64_t landmark)
{
    return value - landmark + NEAR <= 2 * (uint64_t)NEAR;
}

static size_t value_format(uint64_t value, char *ret_text)
{
    if (value >= SIZE_MAX - NEAR_SIZE_MAX)
        return offset_format("SIZE_MAX", value - SIZE_MAX, ret_text);
    if (is_near(value, PTRDIFF_MAX))
        return offset_format("PTRDIFF_MAX", value - PTRDIFF_MAX, ret_text);
    unsigned exponent = 63U - (unsigned)__builtin_clzll((value + NEAR) | 1);
    uint64_t landmark = (uint64_t)1 << exponent;
    if (value <= UINT32_MAX || !is_near(value, landmark))
        return (size_t)snprintf(ret_text, NUMBER_TEXT_MAX, "%" PRIu64, value);
    char name[8];
    snprintf(name, sizeof name, "2^%u", exponent % 64);
    return offset_format(name, value - landmark, ret_text);
}

size_t number_format(const struct number *number, char ret_text[NUMBER_TEXT_MAX])
{
    if (number->size_base == SIZE_EXACT)
        return value_format(number->value, ret_text);
    char name[24];
    snprintf(name, sizeof name, "%s(#%" PRIu32 ")",
             number->size_base == SIZE_REQUESTED ? "size" : "usable", number->slot);
    return offset_format(name, number->value, ret_text);
}

/* Takes `text` off the front of word, if it is there. */
static bool take(struct word *word, const char *text)
{
    size_t length = strlen(text);
    if (word->length < length || memcmp(word->at, text, length) != 0)
        return false;
    word->at += length;
    word->length -= length;
    return true;
}

/* The value of a digit, or 99. */
static unsigned digit_of(char letter)
{
    if (letter >= '0' && letter <= '9')
        return (unsigned)(letter - '0');
    if (letter >= 'a' && letter <= 'f')
        return (unsigned)(letter - 'a') + 10;
    if (letter >= 'A' && letter <= 'F')
        return (unsigned)(letter - 'A') + 10;
    return 99;
}

static const char *digits_take(struct word *word, unsigned radix, uint64_t *ret_value)
{
    uint64_t value = 0;
    bool is_too_large = false;
    struct word rest = *word;
    for (; rest.length > 0 && digit_of(*rest.at) < radix; rest.at++, rest.length--)
        is_too_large |= __builtin_mul_overflow(value, radix, &value) ||
                        __builtin_add_overflow(value, digit_of(*rest.at), &value);
    if (rest.length == word->length)
        return NOT_A_NUMBER;
    *word = rest;
    *ret_value = value;
    return is_too_large ? TOO_LARGE : NULL;
}

/* Digits with an optional radix prefix or suffix. */
static const char *plain_take(struct word *word, uint64_t *ret_value)
{
    const char *problem = digits_take(word, take(word, "0x") ? 16 : 10, ret_value);
    if (problem)
        return problem;
    unsigned shift = take(word, "K") ? 10 : take(word, "M") ? 20 : take(word, "G") ? 30 : 0;
    if (*ret_value > UINT64_MAX >> shift)
        return TOO_LARGE;
    *ret_value <<= shift;
    return NULL;
}

static const char *slot_take(struct word *word, uint32_t *ret_slot)
{
    uint64_t slot;
    const char *problem = take(word, "#") ? digits_take(word, 10, &slot) : NOT_A_SLOT;
    if (problem == TOO_LARGE || (!problem && slot >= TRACE_SLOTS))
        return SLOT_TOO_LARGE;
    if (problem)
        return NOT_A_SLOT;
    *ret_slot = (uint32_t)slot;
    return NULL;
}

/* What stands before the offset. */
static const char *landmark_take(struct word *word, struct number *number)
{
    bool is_requested = take(word, "size(");
    if (is_requested || take(word, "usable(")) {
        number->size_base = is_requested ? SIZE_REQUESTED : SIZE_USABLE;
        const char *problem = slot_take(word, &number->slot);
        return problem || take(word, ")") ? problem : NOT_A_NUMBER;
    }
    if (take(word, "SIZE_MAX")) {
        number->value = SIZE_MAX;
        return NULL;
    }
    if (take(word, "PTRDIFF_MAX")) {
        number->value = PTRDIFF_MAX;
        return NULL;
    }
    if (!take(word, "2^"))
        return plain_take(word, &number->value);
    uint64_t exponent;
    const char *problem = digits_take(word, 10, &exponent);
    if (problem || exponent > 63)
        return problem ? problem : TOO_LARGE;
    number->value = (uint64_t)1 << exponent;
    return NULL;
}

static const char *offset_add(struct number *number, bool is_below, uint64_t offset)
{
    uint64_t signed_offset = is_below ? 0 - offset : offset;
    if (number->size_base != SIZE_EXACT && offset > (is_below ? DELTA_BELOW : DELTA_ABOVE))
        return DELTA_TOO_LARGE;
    if (number->size_base == SIZE_EXACT && is_below && offset > number->value)
        return BELOW_ZERO;
    if (number->size_base == SIZE_EXACT && !is_below && offset > UINT64_MAX - number->value)
        return TOO_LARGE;
    number->value += signed_offset;
    return NULL;
}

const char *number_parse(struct word word, struct number *ret_number)
{
    struct number number = {.size_base = SIZE_EXACT};
    const char *problem = landmark_take(&word, &number);
    if (problem)
        return problem;
    bool is_below = take(&word, "-");
    if (is_below || take(&word, "+")) {
        uint64_t offset;
        problem = plain_take(&word, &offset);
        if (!problem)
            problem = offset_add(&number, is_below, offset);
    }
    if (!problem && word.length > 0)
        problem = NOT_A_NUMBER;
    if (!problem)
        *ret_number = number;
    return problem;
}

const char *slot_parse(struct word word, uint32_t *ret_slot)
{
    uint32_t slot;
    const char *problem = slot_take(&word, &slot);
    if (!problem && word.length > 0)
        problem = NOT_A_SLOT;
    if (!problem)
        *ret_slot = slot;
    return problem;
}
