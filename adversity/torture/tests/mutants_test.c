/* SPDX-License-Identifier: MIT */
/*
 * Torture can fail: `mutants_test SUBJECTS [MUTANT]`. Each mutant is found in its scenario, by one
 * of its checks, in well under a minute; the same allocator without any of them, and the libc, come
 * through every scenario. With a MUTANT that one alone, with `none` the subjects without a bug.
 */
#include "adversity/torture/torture.h"
#include "harness/executor/executor.h"
#include "mutants/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Calls that an idle machine makes within the limit; a busy one gets more turns for them. */
enum { WORKERS = 8, LIMIT_MS = 50000, CALLS_ENOUGH = 20000000, TURNS = 8, CLEAN_MS = 250 };

static const char *folder;

static struct subject_plan find(const char *spec)
{
    struct subject_plan subject;
    char error[SUBJECT_ERROR_MAX];
    if (executor_find_subject(&subject, spec, BIND_AUTO, SUBJECT_WHOLE_PROCESS, error) != 0)
        fail_msg("%s", error);
    return subject;
}

static struct subject_plan find_built(const char *format, ...)
{
    char path[PATH_MAX];
    va_list arguments;
    int length = snprintf(path, sizeof path, "%s/", folder);
    va_start(arguments, format);
    vsnprintf(path + length, sizeof path - (size_t)length, format, arguments);
    va_end(arguments);
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

static struct torture_result search(struct torture_plan plan)
{
    struct torture_result result = run(&plan);
    uint64_t calls = result.calls;
    for (unsigned turn = 1; !result.has_finding && calls < CALLS_ENOUGH && turn < TURNS; turn++) {
        plan.seed += result.processes;
        result = run(&plan);
        calls += result.calls;
    }
    result.calls = calls;
    return result;
}

static void mutant_is_found(void **state)
{
    const struct mutant *mutant = *state;
    struct mutant_catch catch;
    assert_true(mutant_catch_find(mutant, "torture", &catch));
    struct subject_plan subject = find_built("lib%s_%s.so", mutant->origin, mutant->id);
    const struct torture_plan plan = {.subject = &subject,
                                      .scenario = torture_scenario_find(catch.where),
                                      .workers = WORKERS,
                                      .milliseconds = LIMIT_MS,
                                      .seed = 1};
    assert_non_null(plan.scenario);
    struct torture_result result = search(plan);
    if (!result.has_finding)
        fail_msg("%s: nothing in %llu calls", mutant->id, (unsigned long long)result.calls);
    if (!mutant_names_have(catch.names, check_name(result.verdict.check)))
        fail_msg("%s: found by %s (%s), not by %s", mutant->id, check_name(result.verdict.check),
                 result.verdict.sentence, catch.names);
    print_message("%s: %s after %u ms\n", mutant->id, check_name(result.verdict.check),
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
        assert_true(result.lacking != NULL || result.calls > 0);
    }
}

/* It has no realloc and no malloc_usable_size, and libc's are not taken in their place. */
static void subject_of_malloc_and_free_is_left_alone(void **state)
{
    static const char *const lacking[][2] = {{"opposite-reallocs", "realloc"},
                                             {"trim", "malloc_usable_size"}};
    (void)state;
    struct subject_plan subject = find_built("../sound/libfamily_none.so");
    comes_through_every_scenario(&subject);
    for (size_t i = 0; i < 2; i++) {
        const struct torture_plan plan = {.subject = &subject,
                                          .scenario = torture_scenario_find(lacking[i][0]),
                                          .workers = WORKERS};
        struct torture_result result = run(&plan);
        assert_string_equal(result.lacking, lacking[i][1]);
        assert_int_equal(result.processes, 0);
    }
}

static void correct_allocator_is_left_alone(void **state)
{
    (void)state;
    struct subject_plan subject = find_built("libthreaded_none.so");
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
    static struct CMUnitTest tests[MUTANT_END + 3] = {
        cmocka_unit_test(correct_allocator_is_left_alone), cmocka_unit_test(libc_is_left_alone),
        cmocka_unit_test(subject_of_malloc_and_free_is_left_alone)};
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: %s SUBJECTS [MUTANT]\n", argv[0]);
        return 2;
    }
    size_t count = argc == 2 || strcmp(argv[2], "none") == 0 ? 3 : 0;
    folder = argv[1];
    for (const struct mutant *mutant = NULL; (mutant = mutant_next(mutant, "torture")) != NULL;)
        if (argc == 2 || strcmp(mutant->id, argv[2]) == 0)
            tests[count++] = (struct CMUnitTest){.name = mutant->id,
                                                 .test_func = mutant_is_found,
                                                 .initial_state = (void *)(uintptr_t)mutant};
    return count == 0 ? 2 : _cmocka_run_group_tests("mutants", tests, count, NULL, NULL);
}
