/* SPDX-License-Identifier: MIT */
/* Static anvil under every scenario: in the preset tsan, each access of anvil is watched. */
#include "adversity/torture/torture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { WORKERS = 6, MILLISECONDS = 400 };

static void static_anvil_comes_through(void **state)
{
    struct torture_scenario scenario = *(const struct torture_scenario *)*state;
    struct torture_subject subject;
    struct torture_result result;
    char error[SUBJECT_ERROR_MAX];
    if (torture_subject_find(&subject, "anvil", BIND_STATIC, error) != 0)
        fail_msg("%s", error);
    scenario.milliseconds = scenario.milliseconds < MILLISECONDS ? scenario.milliseconds : MILLISECONDS;
    const struct torture_plan plan = {.subject = &subject, .scenario = &scenario, .workers = WORKERS, .seed = 1};
    if (torture_run(&plan, &result, error) != 0)
        fail_msg("%s", error);
    if (result.has_finding)
        fail_msg("%s: %s: %s [%s]", scenario.name, check_name(result.verdict.check), result.verdict.sentence, result.output);
    assert_true(result.calls > 0);
}

int main(void)
{
    enum { TESTS_MAX = 32 };
    struct CMUnitTest tests[TESTS_MAX];
    size_t count = 0;
    for (; torture_scenario_at(count) != NULL && count < TESTS_MAX; count++)
        tests[count] = (struct CMUnitTest){torture_scenario_at(count)->name, static_anvil_comes_through, NULL, NULL,
                                           (void *)(uintptr_t)torture_scenario_at(count)};
    return _cmocka_run_group_tests("static anvil", tests, count, NULL, NULL);
}
