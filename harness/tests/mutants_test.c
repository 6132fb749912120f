/* SPDX-License-Identifier: MIT */
/*
 * The harness can fail: `mutants_test SUBJECTS TRACES`. Each mutant is caught by its check, on its
 * trace, every time; the same traces are clean on the correct allocator, on anvil and on the libc;
 * and no check is without a mutant.
 */
#include "harness/executor/executor.h"
#include "mutants/registry.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { OPS_MAX = 512, TEXT_MAX = 16384, ATTEMPTS = 5 };

static const char *subjects_folder, *traces_folder;

static struct trace read_trace(const struct mutant *mutant)
{
    static struct trace_op ops[OPS_MAX];
    static char text[TEXT_MAX];
    char path[1024];
    struct trace trace = {.ops = ops, .capacity = OPS_MAX};
    struct trace_error error;
    snprintf(path, sizeof path, "%s/%s.trace", traces_folder, mutant->id);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("cannot read %s", path);
    size_t length = fread(text, 1, sizeof text, file);
    fclose(file);
    if (trace_parse(text, length, &trace, &error) != 0)
        fail_msg("%s:%zu: %s", path, error.line, error.sentence);
    return trace;
}

static struct executor *start(const char *spec)
{
    struct executor *executor;
    char error[SUBJECT_ERROR_MAX];
    const struct executor_options options = {.cpu_limit_ms = 500};
    if (executor_start(&executor, spec, &options, error) != 0)
        fail_msg("%s", error);
    return executor;
}

static struct executor *start_mutant(const struct mutant *mutant, bool is_correct)
{
    char path[1024];
    mutant_library(mutant, is_correct, subjects_folder, path, sizeof path);
    return start(path);
}

static struct execution run(struct executor *executor, const struct trace *trace)
{
    struct execution execution;
    char error[SUBJECT_ERROR_MAX];
    struct run_options options = executor_thorough(executor, trace->count);
    if (executor_run(executor, trace, &options, true, &execution, error) != 0)
        fail_msg("%s", error);
    return execution;
}

static bool has_digit(const char *sentence)
{
    while (*sentence != 0 && !isdigit((unsigned char)*sentence))
        sentence++;
    return *sentence != 0;
}

static bool is_of_heap(const struct mutant *mutant)
{
    return strcmp(mutant->origin, "heap") == 0;
}

/* ---- tests ---- */

static void mutant_is_caught_by_its_check_every_time(void **state)
{
    const struct mutant *mutant = *state;
    struct mutant_catch catch;
    assert_true(mutant_catch_find(mutant, "trace", &catch));
    struct trace trace = read_trace(mutant);
    struct executor *executor = start_mutant(mutant, false);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct execution execution = run(executor, &trace);
        if (execution.is_clean)
            fail_msg("attempt %d: %s is clean", attempt, mutant->id);
        if (attempt == 0)
            print_message("%s: %s at %s: %s\n", mutant->id, check_name(execution.verdict.check),
                          execution.verdict.site, execution.verdict.sentence);
        assert_string_equal(check_name(execution.verdict.check), catch.names);
        assert_true(has_digit(execution.verdict.sentence));
        assert_true(execution.verdict.site[0] != 0);
        assert_true(executor_evaluated(executor, execution.verdict.check) > 0);
    }
    executor_stop(executor);
}

static void assert_clean_on_every_trace(struct executor *executor)
{
    for (const struct mutant *mutant = NULL; (mutant = mutant_next(mutant, "trace")) != NULL;) {
        struct trace trace = read_trace(mutant);
        struct execution execution = run(executor, &trace);
        if (!execution.is_clean)
            fail_msg("%s.trace: %s: %s", mutant->id, check_name(execution.verdict.check),
                     execution.verdict.sentence);
    }
    executor_stop(executor);
}

/* Of a heap once for all mutants; of an example, once for each of its own. */
static void correct_variants_are_clean_on_every_trace(void **state)
{
    (void)state;
    bool has_heap = false;
    for (const struct mutant *mutant = NULL; (mutant = mutant_next(mutant, "trace")) != NULL;) {
        if (!is_of_heap(mutant) || !has_heap)
            assert_clean_on_every_trace(start_mutant(mutant, true));
        has_heap |= is_of_heap(mutant);
    }
}

static void anvil_is_clean_on_every_trace(void **state)
{
    (void)state;
    assert_clean_on_every_trace(start("anvil"));
}

static void glibc_is_clean_on_every_trace(void **state)
{
    (void)state;
    assert_clean_on_every_trace(start("glibc"));
}

/* Counts the checks that a word of a mutant names; all must exist. */
static void count_checks(const struct mutant *mutant, char *names, unsigned counts[CHECK_COUNT])
{
    for (char *name = strtok(names, ","); name != NULL; name = strtok(NULL, ",")) {
        enum check check = check_find(name);
        if (check == CHECK_COUNT)
            fail_msg("%s: there is no check %s", mutant->id, name);
        counts[check]++;
    }
}

static void every_check_has_a_mutant(void **state)
{
    (void)state;
    static const char *const means[] = {"trace", "growth", "torture", "interleave", "call"};
    unsigned counts[CHECK_COUNT] = {0};
    struct mutant_catch catch;
    for (size_t i = 0; i < sizeof means / sizeof means[0]; i++)
        for (const struct mutant *mutant = NULL; (mutant = mutant_next(mutant, means[i])) != NULL;)
            if (mutant_catch_find(mutant, means[i], &catch))
                count_checks(mutant, catch.names, counts);
    for (unsigned check = 0; check < CHECK_COUNT; check++)
        if (counts[check] == 0)
            fail_msg("no mutant for %s", check_name((enum check)check));
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[MUTANT_END + 4] = {
        cmocka_unit_test(correct_variants_are_clean_on_every_trace),
        cmocka_unit_test(anvil_is_clean_on_every_trace),
        cmocka_unit_test(glibc_is_clean_on_every_trace),
        cmocka_unit_test(every_check_has_a_mutant),
    };
    size_t count = 4;
    for (const struct mutant *mutant = NULL; (mutant = mutant_next(mutant, "trace")) != NULL;)
        tests[count++] = (struct CMUnitTest){.name = mutant->id,
                                             .test_func = mutant_is_caught_by_its_check_every_time,
                                             .initial_state = (void *)(uintptr_t)mutant};
    if (argc != 3) {
        fprintf(stderr, "usage: %s SUBJECTS TRACES\n", argv[0]);
        return 2;
    }
    subjects_folder = argv[1];
    traces_folder = argv[2];
    return _cmocka_run_group_tests("mutants", tests, count, NULL, NULL);
}
