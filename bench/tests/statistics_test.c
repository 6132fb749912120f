/* SPDX-License-Identifier: MIT */
/* What the interval of an A/A control makes of samples. */
#include "bench/statistics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SAMPLES = 7 };

static bool is_near(double value, double wanted)
{
    return fabs(value / wanted - 1) < 0.001;
}

static struct control_pair make_pair(double reference, double control, double spread)
{
    struct control_pair pair = {.count = SAMPLES};
    for (size_t i = 0; i < SAMPLES; i++) {
        double factor = 1 + spread * ((double)i / (SAMPLES - 1) - 0.5);
        pair.reference[i] = reference * factor;
        pair.control[i] = control * factor;
    }
    return pair;
}

static void median_ignores_order_and_outliers(void **state)
{
    (void)state;
    const double odd[] = {9, 1, 5}, even[] = {4, 1000000, 1, 2};
    assert_true(is_near(statistics_median(odd, 3), 5));
    assert_true(is_near(statistics_median(even, 4), 3));
}

static void equal_samples_have_no_interval(void **state)
{
    (void)state;
    struct control_pair pair = make_pair(100, 100, 0);
    assert_true(is_near(statistics_interval(&pair), 1));
}

static void interval_holds_what_the_control_showed(void **state)
{
    (void)state;
    struct control_pair slower = make_pair(100, 130, 0), faster = make_pair(130, 100, 0);
    assert_true(statistics_interval(&slower) >= 1.3 - 1e-9);
    assert_true(statistics_interval(&faster) >= 1.3 - 1e-9);
    for (unsigned reference = 100; reference < 200; reference++) {
        struct control_pair pair = make_pair(reference, 171, 0);
        double ratio = 171.0 / reference, interval = statistics_interval(&pair);
        assert_true(1 / interval <= ratio && ratio <= interval);
    }
}

static void interval_grows_with_the_spread(void **state)
{
    (void)state;
    struct control_pair calm = make_pair(100, 100, 0.02), noisy = make_pair(100, 100, 0.4);
    double calm_interval = statistics_interval(&calm), noisy_interval = statistics_interval(&noisy);
    assert_true(calm_interval > 1.001 && calm_interval < 1.02);
    assert_true(noisy_interval > 1.1 && noisy_interval < 1.4);
}

static void mean_of_many_workloads_is_less_noisy(void **state)
{
    (void)state;
    struct control_pair pairs[50];
    for (size_t i = 0; i < 50; i++)
        pairs[i] = make_pair(100, 100, 0.4);
    double one = statistics_interval(&pairs[0]), many = statistics_geomean_interval(pairs, 50);
    assert_true(many > 1.001 && many - 1 < (one - 1) / 4);
}

static void skipped_workloads_have_no_part(void **state)
{
    (void)state;
    struct control_pair pairs[2] = {make_pair(100, 130, 0), {.count = 0}};
    assert_true(is_near(statistics_geomean_interval(pairs, 2), statistics_interval(&pairs[0])));
    assert_true(is_near(statistics_interval(&pairs[1]), 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(median_ignores_order_and_outliers),
        cmocka_unit_test(equal_samples_have_no_interval),
        cmocka_unit_test(interval_holds_what_the_control_showed),
        cmocka_unit_test(interval_grows_with_the_spread),
        cmocka_unit_test(mean_of_many_workloads_is_less_noisy),
        cmocka_unit_test(skipped_workloads_have_no_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
