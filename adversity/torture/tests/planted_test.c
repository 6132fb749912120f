/* SPDX-License-Identifier: MIT */
/*
 * Torture can fail: `planted_test SUBJECTS`. Each planted race is found in its scenario, by one of
 * its checks, in well under a minute; the same allocator without any of them, and the libc, come
 * through every scenario.
 */
#include "adversity/torture/planted/planted_list.h"
#include "adversity/torture/torture.h"
#include "harness/executor/executor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { WORKERS = 8, LIMIT_MS = 50000, CLEAN_MS = 250 };

struct race {
    const char *name, *scenario, *checks;
};
static struct race races[] = {
#define RACE(name, scenario, checks, text) {#name, scenario, checks},
    PLANTED_RACES(RACE)
#undef RACE
};
enum { RACES = sizeof races / sizeof races[0] };

static const char *folder;

static struct subject_plan find(const char *spec)
{
    struct subject_plan subject;
    char error[SUBJECT_ERROR_MAX];
    if (executor_find_subject(&subject, spec, BIND_AUTO, SUBJECT_WHOLE_PROCESS, error) != 0)
        fail_msg("%s", error);
    return subject;
}

static struct subject_plan find_planted(const char *name)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/libracy_%s.so", folder, name);
    return find(path);
}

static struct torture_result run(const struct torture_plan *plan)
{
    struct torture_result result;
    char error[SUBJECT_ERROR_MAX];
    if (torture_run(plan, &result, error) != 0)
        fail_msg("%s", error);
    return result;
}

static bool has_word(const char *words, const char *word)
{
    const char *at = strstr(words, word);
    return at != NULL && (at == words || at[-1] == ' ') && strchr(" ", at[strlen(word)]) != NULL;
}

static void planted_race_is_found(void **state)
{
    const struct race *race = *state;
    struct subject_plan subject = find_planted(race->name);
    const struct torture_plan plan = {.subject = &subject,
                                      .scenario = torture_scenario_find(race->scenario),
                                      .workers = WORKERS,
                                      .milliseconds = LIMIT_MS,
                                      .seed = 1};
    assert_non_null(plan.scenario);
    struct torture_result result = run(&plan);
    if (!result.has_finding)
        fail_msg("%s: nothing in %u ms, %llu calls", race->name, result.elapsed_ms,
                 (unsigned long long)result.calls);
    if (!has_word(race->checks, check_name(result.verdict.check)))
        fail_msg("%s: found by %s (%s), not by %s", race->name, check_name(result.verdict.check),
                 result.verdict.sentence, race->checks);
    print_message("%s: %s after %u ms\n", race->name, check_name(result.verdict.check),
                  result.elapsed_ms);
}

static void comes_through_every_scenario(const struct subject_plan *subject)
{
    for (size_t i = 0; torture_scenario_at(i) != NULL; i++) {
        struct torture_scenario scenario = *torture_scenario_at(i);
        scenario.milliseconds = scenario.milliseconds < CLEAN_MS ? scenario.milliseconds : CLEAN_MS;
        const struct torture_plan plan = {
            .subject = subject, .scenario = &scenario, .workers = WORKERS, .seed = 1};
        struct torture_result result = run(&plan);
        if (result.has_finding)
            fail_msg("%s, %s: %s: %s", subject->name, scenario.name,
                     check_name(result.verdict.check), result.verdict.sentence);
        assert_true(result.calls > 0);
    }
}

static void correct_allocator_is_left_alone(void **state)
{
    (void)state;
    struct subject_plan subject = find_planted("none");
    comes_through_every_scenario(&subject);
}

static void libc_is_left_alone(void **state)
{
    (void)state;
    struct subject_plan subject = find("glibc");
    comes_through_every_scenario(&subject);
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[RACES + 2];
    if (argc != 2)
        return 2;
    folder = argv[1];
    for (size_t i = 0; i < RACES; i++)
        tests[i] = (struct CMUnitTest){races[i].name, planted_race_is_found, NULL, NULL, &races[i]};
    tests[RACES] = (struct CMUnitTest)cmocka_unit_test(correct_allocator_is_left_alone);
    tests[RACES + 1] = (struct CMUnitTest)cmocka_unit_test(libc_is_left_alone);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
