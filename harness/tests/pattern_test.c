/* SPDX-License-Identifier: MIT */
/* The bytes that blocks are filled with: they come back whole and in windows, and every kind of
 * damage shows. */
#include "harness/trace/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum {
    LARGEST = 300000,
    WHOLE = 1 << 20,
    SAMPLED = PATTERN_DENSE,
    SPARSE = 1024, /* fill_max with few windows */
    EDGE = 4096
};
static const uint64_t SEED = 0x1234567890abcdef;
static const size_t sizes[] = {0,    1,    7,    8,    9,    15,    16,    17,    63,
                               1000, 4095, 4096, 9088, 9089, 10007, 65536, 299999};
#define SIZES (sizeof sizes / sizeof sizes[0])

static uint8_t memory[LARGEST + 16];

static void filled_block_verifies_at_every_size_and_misalignment(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZES; i++)
        for (size_t shift = 0; shift < 3; shift++) {
            memset(memory, 0, sizeof memory);
            pattern_fill(memory + shift, sizes[i], WHOLE, SEED);
            assert_int_equal(pattern_verify(memory + shift, sizes[i], sizes[i], WHOLE, SEED),
                             PATTERN_ALL_GOOD);
            assert_int_equal(memory[shift + sizes[i]], 0);
            pattern_fill(memory + shift, sizes[i], SAMPLED, SEED + 1);
            assert_int_equal(pattern_verify(memory + shift, sizes[i], sizes[i], SAMPLED, SEED + 1),
                             PATTERN_ALL_GOOD);
            assert_int_equal(memory[shift + sizes[i]], 0);
            pattern_fill(memory + shift, sizes[i], SPARSE, SEED + 2);
            assert_int_equal(pattern_verify(memory + shift, sizes[i], sizes[i], SPARSE, SEED + 2),
                             PATTERN_ALL_GOOD);
            assert_int_equal(memory[shift + sizes[i]], 0);
        }
}

static void every_single_wrong_byte_is_found_where_it_is(void **state)
{
    (void)state;
    enum { SIZE = 1003 };
    pattern_fill(memory, SIZE, WHOLE, SEED);
    for (size_t i = 0; i < SIZE; i++) {
        memory[i] ^= 1;
        assert_int_equal(pattern_verify(memory, SIZE, SIZE, WHOLE, SEED), i);
        memory[i] ^= 1;
    }
}

/* Around the lengths of words and vectors, at any misalignment. */
static void every_wrong_bit_of_a_short_block_is_found(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 140; size++)
        for (size_t i = 0; i < size; i++) {
            uint8_t *block = memory + size % 16;
            pattern_fill(block, size, WHOLE, SEED);
            block[i] ^= (uint8_t)(1 << i % 8);
            assert_int_equal(pattern_verify(block, size, size, WHOLE, SEED), i);
        }
}

static void byte_is_the_one_that_fill_writes(void **state)
{
    (void)state;
    pattern_fill(memory, 1000, WHOLE, SEED);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(memory[i], pattern_byte(SEED, i));
}

static void verification_ends_at_the_limit(void **state)
{
    (void)state;
    pattern_fill(memory, 1000, WHOLE, SEED);
    memory[500] ^= 1;
    assert_int_equal(pattern_verify(memory, 1000, 500, WHOLE, SEED), PATTERN_ALL_GOOD);
    assert_int_equal(pattern_verify(memory, 1000, 501, WHOLE, SEED), 500);
}

static void sampled_block_is_untouched_between_its_windows(void **state)
{
    (void)state;
    memset(memory, 0, LARGEST);
    pattern_fill(memory, LARGEST, SAMPLED, SEED);
    size_t written = 0;
    for (size_t i = 0; i < LARGEST; i++)
        written += memory[i] != 0;
    assert_in_range(written, EDGE, 3 * EDGE);
    memory[0] ^= 1;
    assert_int_equal(pattern_verify(memory, LARGEST, LARGEST, SAMPLED, SEED), 0);
    memory[0] ^= 1;
    memory[LARGEST - 1] ^= 1;
    assert_int_equal(pattern_verify(memory, LARGEST, LARGEST, SAMPLED, SEED), LARGEST - 1);
}

/* Each page that is touched costs a page fault where it is new. */
static void small_fill_max_touches_few_pages(void **state)
{
    (void)state;
    enum { PAGE = 4096, SIZE = 64 * PAGE };
    size_t touched = 0;
    memset(memory, 0, SIZE);
    pattern_fill(memory, SIZE, SPARSE, SEED);
    for (size_t page = 0; page < SIZE; page += PAGE)
        touched += pattern_verify_zero(memory + page, PAGE, WHOLE) != PATTERN_ALL_GOOD;
    assert_in_range(touched, 4, 6);
    for (size_t i = 0; i < SIZE; i++) {
        if (memory[i] == 0)
            continue;
        memory[i] ^= 1;
        assert_int_equal(pattern_verify(memory, SIZE, SIZE, SPARSE, SEED), i);
        memory[i] ^= 1;
    }
}

static void shifted_swapped_and_stale_copies_differ(void **state)
{
    (void)state;
    pattern_fill(memory, 1000, WHOLE, SEED);
    for (size_t shift = 1; shift <= 64; shift++)
        assert_int_not_equal(pattern_verify(memory + shift, 900, 900, WHOLE, SEED),
                             PATTERN_ALL_GOOD);
    assert_int_not_equal(pattern_verify(memory, 1000, 1000, WHOLE, SEED + 1), PATTERN_ALL_GOOD);
    memmove(memory + 500, memory, 500);
    assert_in_range(pattern_verify(memory, 1000, 1000, WHOLE, SEED), 500, 507);
}

static void first_byte_that_is_not_zero_is_found(void **state)
{
    (void)state;
    memset(memory, 0, sizeof memory);
    assert_int_equal(pattern_verify_zero(memory, LARGEST, WHOLE), PATTERN_ALL_GOOD);
    for (size_t i = 0; i < 40; i++) {
        memory[i] = 1;
        assert_int_equal(pattern_verify_zero(memory, 40, WHOLE), i);
        memory[i] = 0;
    }
    memory[LARGEST - 1] = 1;
    assert_int_equal(pattern_verify_zero(memory, LARGEST, SAMPLED), LARGEST - 1);
    assert_int_equal(pattern_verify_zero(memory, LARGEST, WHOLE), LARGEST - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filled_block_verifies_at_every_size_and_misalignment),
        cmocka_unit_test(every_single_wrong_byte_is_found_where_it_is),
        cmocka_unit_test(every_wrong_bit_of_a_short_block_is_found),
        cmocka_unit_test(byte_is_the_one_that_fill_writes),
        cmocka_unit_test(verification_ends_at_the_limit),
        cmocka_unit_test(sampled_block_is_untouched_between_its_windows),
        cmocka_unit_test(small_fill_max_touches_few_pages),
        cmocka_unit_test(shifted_swapped_and_stale_copies_differ),
        cmocka_unit_test(first_byte_that_is_not_zero_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
