/* SPDX-License-Identifier: MIT */
/* `hang_test SLOW HUNG`: two libraries made of spin.c, on which a round takes longer than the
 * process may. */
#include "adversity/growth/growth_internal.h"
#include "harness/executor/executor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *slow, *hung;

static struct growth_result measure(const char *spec, unsigned cpu_seconds)
{
    struct subject_plan subject;
    struct growth_result result = {.workload = workloads_find("comb"), .check = CHECK_COUNT};
    struct growth_report report;
    char error[SUBJECT_ERROR_MAX];
    if (executor_find_subject(&subject, spec, BIND_AUTO, SUBJECT_IN_PROCESS, error) != 0)
        fail_msg("%s", error);
    const struct growth_options options = {.subject = &subject};
    const struct growth_order order = {.workload = "comb", .count = 4, .cpu_seconds = cpu_seconds};
    assert_false(growth_measure(&options, &order, &result, &report));
    return result;
}

static void calls_that_return_are_slow(void **state)
{
    (void)state;
    struct growth_result result = measure(slow, 4);
    assert_int_equal(result.outcome, GROWTH_NOT_RUN);
    assert_string_equal(result.sentence,
                        "slow: 0 of 4 rounds were over within 4 seconds of CPU time");
}

static void a_call_that_does_not_return_is_a_hang(void **state)
{
    (void)state;
    struct growth_result result = measure(hung, 8);
    assert_int_equal(result.outcome, GROWTH_FINDING);
    assert_int_equal(result.check, CHECK_PROGRESS);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_that_return_are_slow),
        cmocka_unit_test(a_call_that_does_not_return_is_a_hang),
    };
    if (argc != 3)
        return 2;
    slow = argv[1];
    hung = argv[2];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
