/* SPDX-License-Identifier: MIT */
/* `clean_test SCENARIO…`: static anvil comes through. In the preset tsan each of its accesses is
 * watched. */
#include "adversity/torture/torture.h"
#include "harness/executor/executor.h"

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
    struct subject_plan subject;
    struct torture_result result;
    char error[SUBJECT_ERROR_MAX];
    if (executor_find_subject(&subject, "anvil", BIND_STATIC, SUBJECT_WHOLE_PROCESS, error) != 0)
        fail_msg("%s", error);
    scenario.milliseconds =
        scenario.milliseconds < MILLISECONDS ? scenario.milliseconds : MILLISECONDS;
    const struct torture_plan plan = {
        .subject = &subject, .scenario = &scenario, .workers = WORKERS, .seed = 1};
    if (torture_run(&plan, &result, error) != 0)
        fail_msg("%s", error);
    if (result.has_finding)
        fail_msg("%s: %s: %s [%s]", scenario.name, check_name(result.verdict.check),
                 result.verdict.sentence, result.output);
    assert_true(result.calls > 0);
}

int main(int argc, char **argv)
{
    enum { TESTS_MAX = 32 };
    struct CMUnitTest tests[TESTS_MAX];
    size_t count = 0;
    for (int i = 1; i < argc && count < TESTS_MAX; i++) {
        const struct torture_scenario *scenario = torture_scenario_find(argv[i]);
        if (scenario == NULL)
            return 2;
        tests[count++] = (struct CMUnitTest){scenario->name, static_anvil_comes_through, NULL, NULL,
                                             (void *)(uintptr_t)scenario};
    }
    return count > 0 ? _cmocka_run_group_tests("static anvil", tests, count, NULL, NULL) : 2;
}
