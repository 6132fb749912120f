/* SPDX-License-Identifier: MIT */
/* What counts as growth: histories of allocators that keep, defer, fill up, and lose. */
#include "harness/base/trend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define KIB         ((uint64_t)1 << 10)
#define MIB         ((uint64_t)1 << 20)
#define CYCLES_MOST ((uint64_t)1 << 24)

typedef uint64_t history(uint64_t cycles);

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* With one block of `size` bytes freed in a cycle. */
static enum trend_state look_at_blocks(struct trend *trend, history *held, uint64_t size,
                                       uint64_t affordable)
{
    enum trend_state state = TREND_OPEN;
    while (state == TREND_OPEN && trend->next_look <= affordable) {
        uint64_t cycles = trend->next_look;
        state = trend_look(trend, (struct trend_freed){cycles, size * cycles}, held(cycles));
    }
    return state;
}

static enum trend_state look_until(struct trend *trend, history *held, uint64_t affordable)
{
    return look_at_blocks(trend, held, 2 * KIB, affordable);
}

static enum trend_state judge(history *held, uint64_t affordable)
{
    struct trend trend = trend_begin(2 * KIB);
    return look_until(&trend, held, affordable);
}

static bool may_be_noticed_after_16(history *held)
{
    struct trend trend = trend_begin(2 * KIB);
    look_until(&trend, held, 16);
    return trend_may_be_noticed(&trend, 300);
}

/* Of a trace whose cycles nobody can afford. */
static void no_look_is_no_growth(void **state)
{
    (void)state;
    const struct trend trend = trend_begin(1024 * MIB);
    assert_false(trend_is_suspicious(&trend));
    assert_int_equal(trend_growth(&trend), 0);
}

static uint64_t nothing(uint64_t cycles)
{
    (void)cycles;
    return 5 * MIB;
}

static uint64_t loses_64_bytes(uint64_t cycles)
{
    return 5 * MIB + (64 * cycles) / (4 * KIB) * (4 * KIB);
}

static uint64_t loses_1_mib(uint64_t cycles)
{
    return cycles * MIB;
}

/* A search does not follow for 300 cycles what those cannot make noticeable. */
static uint64_t loses_4_kib(uint64_t cycles)
{
    return 4 * KIB * cycles;
}

static void a_loss_too_small_for_the_cycles_left_is_not_followed(void **state)
{
    (void)state;
    const struct trend unseen = trend_begin(2 * KIB);
    assert_true(trend_may_be_noticed(&unseen, 300));
    assert_false(may_be_noticed_after_16(nothing));
    assert_false(may_be_noticed_after_16(loses_64_bytes));
    assert_true(may_be_noticed_after_16(loses_4_kib));
    assert_true(may_be_noticed_after_16(loses_1_mib));
}

static uint64_t defers_4096_frees(uint64_t cycles)
{
    return 2 * KIB * smaller(cycles, 4096);
}

static uint64_t quarantines_256_mib(uint64_t cycles)
{
    return MIB * smaller(cycles, 256);
}

/* A page chosen at random out of 1 GiB, in each cycle: touched pages of the whole. */
static uint64_t places_at_random(uint64_t cycles)
{
    const double pages = 262144;
    const uint64_t step = 4096; /* cycles, in which a 64th of the untouched pages is chosen */
    double untouched = 1 - (double)(cycles % step) / pages;
    for (uint64_t i = 0; i < cycles / step; i++)
        untouched *= 63.0 / 64;
    return (uint64_t)(pages * (1 - untouched)) * 4 * KIB;
}

static uint64_t root_of(uint64_t cycles)
{
    uint64_t root = 0;
    while ((root + 1) * (root + 1) <= cycles)
        root++;
    return root * 64 * KIB;
}

static uint64_t warms_up_and_loses(uint64_t cycles)
{
    return 8 * MIB * smaller(cycles, 16) + 1 * KIB * cycles;
}

static void nothing_ends_after_two_looks(void **state)
{
    (void)state;
    assert_int_equal(judge(nothing, 2 * (uint64_t)TREND_FIRST), TREND_ENDED);
}

static void a_loss_grows(void **state)
{
    (void)state;
    assert_int_equal(judge(loses_1_mib, CYCLES_MOST), TREND_GROWS);
    assert_int_equal(judge(warms_up_and_loses, CYCLES_MOST), TREND_GROWS);
}

static void what_fills_up_ends(void **state)
{
    (void)state;
    assert_int_equal(judge(defers_4096_frees, CYCLES_MOST), TREND_ENDED);
    assert_int_equal(judge(quarantines_256_mib, CYCLES_MOST), TREND_ENDED);
    assert_int_equal(judge(places_at_random, CYCLES_MOST), TREND_ENDED);
}

static void slowing_growth_never_counts(void **state)
{
    (void)state;
    assert_int_not_equal(judge(root_of, CYCLES_MOST), TREND_GROWS);
}

static void too_few_cycles_decide_nothing_but_arouse_suspicion(void **state)
{
    (void)state;
    struct trend trend = trend_begin(2 * KIB);
    assert_int_equal(look_until(&trend, defers_4096_frees, 2048), TREND_OPEN);
    assert_true(trend_is_suspicious(&trend));
    assert_int_equal(trend_growth(&trend), 2 * KIB * (2048 - TREND_FIRST));
}

/* A page is new once in 64 cycles: the first stretches are flat. */
static void a_loss_below_a_page_in_a_stretch_is_seen_by_who_frees_enough(void **state)
{
    (void)state;
    struct trend trend = trend_begin(2 * KIB);
    assert_int_equal(look_until(&trend, loses_64_bytes, CYCLES_MOST), TREND_ENDED);
    trend = trend_begin(2 * KIB);
    trend.least_frees = TREND_LEAST_FREES;
    assert_int_equal(look_until(&trend, loses_64_bytes, CYCLES_MOST), TREND_GROWS);
    trend = trend_begin(2 * KIB);
    trend.least_frees = TREND_LEAST_FREES;
    assert_int_equal(look_until(&trend, nothing, TREND_LEAST_FREES), TREND_ENDED);
}

/* Of blocks of no bytes, each of which counts 32. */
static uint64_t quarantines_32_mib_of_nothing(uint64_t cycles)
{
    return 48 * smaller(cycles, MIB);
}

static uint64_t loses_48_bytes(uint64_t cycles)
{
    return 48 * cycles;
}

static void a_quarantine_bounded_by_bytes_has_to_be_filled(void **state)
{
    (void)state;
    struct trend trend = trend_begin(0);
    assert_int_equal(look_at_blocks(&trend, quarantines_32_mib_of_nothing, 0, CYCLES_MOST),
                     TREND_ENDED);
    trend = trend_begin(0);
    assert_int_equal(look_at_blocks(&trend, loses_48_bytes, 0, CYCLES_MOST), TREND_GROWS);
}

static uint64_t queues_of_100_sizes(uint64_t cycles)
{
    return 2 * KIB * smaller(cycles, 100000);
}

static void a_caller_may_ask_for_more_frees(void **state)
{
    (void)state;
    struct trend trend = trend_begin(2 * KIB);
    assert_int_equal(look_until(&trend, queues_of_100_sizes, CYCLES_MOST), TREND_GROWS);
    trend = trend_begin(2 * KIB);
    trend.enough_frees = 1 << 18;
    assert_int_equal(look_until(&trend, queues_of_100_sizes, CYCLES_MOST), TREND_ENDED);
    assert_true(trend_is_noticeable(&trend));
}

/* A thousand blocks of each size wait in a queue of their own. */
static void a_queue_of_each_size_fills_by_cycles(void **state)
{
    enum { SIZES = 264, QUEUE = 1000 };
    (void)state;
    struct trend trend = trend_begin(0);
    enum trend_state state_now = TREND_OPEN;
    while (state_now == TREND_OPEN) {
        uint64_t blocks = SIZES * trend.next_look;
        uint64_t held = 4 * KIB * SIZES * smaller(trend.next_look, QUEUE);
        trend.enough_bytes = 4096 * MIB;
        state_now = trend_look(&trend, (struct trend_freed){blocks, 4 * KIB * blocks}, held);
    }
    assert_int_equal(state_now, TREND_ENDED);
}

static void a_caller_may_ask_for_less(void **state)
{
    (void)state;
    struct trend trend = trend_begin(2 * KIB);
    trend.enough_bytes = 16 * MIB;
    assert_int_equal(look_until(&trend, loses_1_mib, 128), TREND_GROWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_look_is_no_growth),
        cmocka_unit_test(a_loss_too_small_for_the_cycles_left_is_not_followed),
        cmocka_unit_test(nothing_ends_after_two_looks),
        cmocka_unit_test(a_loss_grows),
        cmocka_unit_test(what_fills_up_ends),
        cmocka_unit_test(slowing_growth_never_counts),
        cmocka_unit_test(too_few_cycles_decide_nothing_but_arouse_suspicion),
        cmocka_unit_test(a_loss_below_a_page_in_a_stretch_is_seen_by_who_frees_enough),
        cmocka_unit_test(a_quarantine_bounded_by_bytes_has_to_be_filled),
        cmocka_unit_test(a_caller_may_ask_for_more_frees),
        cmocka_unit_test(a_queue_of_each_size_fills_by_cycles),
        cmocka_unit_test(a_caller_may_ask_for_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
