/* SPDX-License-Identifier: MIT */
/* The rules on made-up numbers. */
#include "adversity/growth/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MIB 0x1p20

/* Memory in MiB after each of 64 rounds: start + slope * round, but no more than `limit`. */
static struct footprint make(double start, double slope, double limit, double live)
{
    struct growth_report report = {.sample_count = SAMPLES_MAX,
                                   .peak_live = (uint64_t)(live * MIB)};
    for (int i = 0; i < SAMPLES_MAX; i++) {
        double held = start + slope * i;
        report.samples[i].resident = (uint64_t)((held < limit ? held : limit) * MIB);
    }
    return footprint_of(&report);
}

static bool grows(double start, double slope, double limit, double live)
{
    struct footprint footprint = make(start, slope, limit, live);
    return footprint_is_growing(&footprint, footprint.quarters);
}

static void leak_grows(void **state)
{
    (void)state;
    assert_true(grows(10, 0.5, 1000, 10));
    assert_true(grows(0, 1, 1000, 0));
}

static void leak_that_begins_beside_caches_that_fill_is_suspicious(void **state)
{
    struct footprint footprint = {.peak_live = 8 << 20,
                                  .quarters = {14 << 20, 20 << 20, 25 << 20, 28 << 20}};
    (void)state;
    assert_true(footprint_is_suspicious(&footprint));
    assert_false(footprint_is_growing(&footprint, footprint.quarters));
    footprint.quarters[3] = 26 << 20;
    assert_false(footprint_is_suspicious(&footprint));
}

static void cache_that_fills_does_not(void **state)
{
    (void)state;
    assert_false(grows(10, 2, 40, 10));
    assert_false(grows(10, 1, 60, 10)); /* full in the last quarter only */
}

static void small_drift_does_not(void **state)
{
    (void)state;
    assert_false(grows(10, 0.05, 1000, 10));
    assert_false(grows(10, 0, 1000, 10));
}

static void no_sample_is_no_growth(void **state)
{
    (void)state;
    struct footprint footprint = footprint_of(&(struct growth_report){0});
    assert_false(footprint_is_growing(&footprint, footprint.quarters));
    assert_false(footprint_is_bloated(&footprint));
}

static void many_times_what_was_live_is_bloated(void **state)
{
    (void)state;
    struct footprint modest = make(80, 0, 1000, 10), bloated = make(150, 0, 1000, 10);
    assert_false(footprint_is_bloated(&modest));
    assert_true(footprint_is_bloated(&bloated));
}

static void what_time_takes_back_is_settled(void **state)
{
    (void)state;
    struct footprint footprint = make(10, 1, 1000, 10);
    assert_true(footprint_is_settled(&footprint, (uint64_t)12 * (1 << 20)));
    assert_false(footprint_is_settled(&footprint, (uint64_t)70 * (1 << 20)));
    footprint = make(0, 522.0 / (double)SAMPLES_MAX, 1000, 0);
    assert_true(footprint_is_settled(&footprint, (uint64_t)49 * (1 << 20)));
    assert_false(footprint_is_settled(&footprint, (uint64_t)90 * (1 << 20)));
}

static void cost_like_the_number_of_blocks_grows(void **state)
{
    (void)state;
    assert_true(costs_grow((double[]){1000, 2000, 4000}, 3, COST_FLOOR_NS));
    assert_true(costs_grow((double[]){900, 1700, 3300, 7000}, 4, COST_FLOOR_NS));
    assert_true(costs_grow((double[]){536, 740, 1729, 3746, 9537}, 5, COST_FLOOR_NS));
    assert_false(costs_grow((double[]){536, 740, 1729, 3746, 5000}, 5, COST_FLOOR_NS));
}

static void one_step_does_not(void **state)
{
    (void)state;
    /* from a cache to the next */
    assert_false(costs_grow((double[]){100, 3000, 3300}, 3, COST_FLOOR_NS));
    assert_false(costs_grow((double[]){1000, 1000, 3000}, 3, COST_FLOOR_NS));
    assert_false(costs_grow((double[]){3000, 6000, 12000, 13000}, 4, COST_FLOOR_NS));
}

static void a_step_in_a_line_is_a_suspicion_only(void **state)
{
    (void)state;
    const double blurred[] = {330, 1650, 2100}, step[] = {1000, 1000, 3000};
    assert_true(costs_may_grow(blurred, 3, COST_FLOOR_NS));
    assert_false(costs_grow(blurred, 3, COST_FLOOR_NS));
    assert_true(costs_may_grow(step, 3, COST_FLOOR_NS));
    assert_false(costs_may_grow((double[]){1000, 3000, 2000}, 3, COST_FLOOR_NS));
    assert_false(costs_may_grow((double[]){20, 40, 80}, 3, COST_FLOOR_NS));
}

static void logarithm_does_not(void **state)
{
    (void)state;
    assert_false(costs_grow((double[]){11000, 12000, 13000}, 3, COST_FLOOR_NS));
}

static void nothing_to_speak_of_does_not(void **state)
{
    (void)state;
    assert_false(costs_grow((double[]){20, 40, 80}, 3, COST_FLOOR_NS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leak_grows),
        cmocka_unit_test(leak_that_begins_beside_caches_that_fill_is_suspicious),
        cmocka_unit_test(cache_that_fills_does_not),
        cmocka_unit_test(small_drift_does_not),
        cmocka_unit_test(no_sample_is_no_growth),
        cmocka_unit_test(many_times_what_was_live_is_bloated),
        cmocka_unit_test(what_time_takes_back_is_settled),
        cmocka_unit_test(cost_like_the_number_of_blocks_grows),
        cmocka_unit_test(one_step_does_not),
        cmocka_unit_test(a_step_in_a_line_is_a_suspicion_only),
        cmocka_unit_test(logarithm_does_not),
        cmocka_unit_test(nothing_to_speak_of_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
