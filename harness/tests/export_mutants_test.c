/* SPDX-License-Identifier: MIT */
/*
 * An exported program shows the bug without us: `export_mutants_test SUBJECTS TRACES [EVERY]`. The
 * finding of each mutant, or of each EVERY-th, becomes a program, which ends badly on the allocator
 * with the bug, and well on the one without.
 */
#include "harness/cli/bring.h"
#include "harness/finding/finding.h"
#include "harness/program/export.h"
#include "harness/program/program.h"
#include "mutants/registry.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { OPS_MAX = 512, TEXT_MAX = 16384, PROGRAM_SECONDS = 60, TIMED_OUT = 124 };

static const char *subjects_folder, *traces_folder;
static char work[PATH_MAX / 2];

static struct trace parse(const char *text, size_t length)
{
    static struct trace_op ops[OPS_MAX];
    struct trace trace = {.ops = ops, .capacity = OPS_MAX};
    struct trace_error error;
    assert_int_equal(trace_parse(text, length, &trace, &error), 0);
    return trace;
}

static struct trace read_trace(const char *name)
{
    static char text[TEXT_MAX];
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.trace", traces_folder, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t length = fread(text, 1, sizeof text, file);
    fclose(file);
    return parse(text, length);
}

static struct verdict find(const char *path, const struct trace *trace)
{
    struct executor *executor;
    struct execution execution;
    char error[SUBJECT_ERROR_MAX];
    const struct executor_options options = {.cpu_limit_ms = 500};
    if (executor_start(&executor, path, &options, error) != 0)
        fail_msg("%s", error);
    struct run_options thorough = executor_thorough(executor, trace->count);
    if (executor_run(executor, trace, &thorough, true, &execution, error) != 0)
        fail_msg("%s", error);
    executor_stop(executor);
    assert_false(execution.is_clean);
    return execution.verdict;
}

static void compile(const char *name, const struct trace *trace, const struct verdict *verdict)
{
    char path[PATH_MAX], command[2 * PATH_MAX];
    snprintf(path, sizeof path, "%s/%s.c", work, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    export_program(out, trace, verdict);
    assert_int_equal(fclose(out), 0);
    snprintf(command, sizeof command, "cc -O1 -Wall -Werror -pthread '%s' -o '%s/%s' -ldl", path,
             work, name);
    if (system(command) != 0)
        fail_msg("%s does not compile", path);
}

/* A shell's exit status: 0, 1 for a failed assertion, 128 and more for a signal, TIMED_OUT. */
static int run_on(const char *program, const char *subject)
{
    char command[2 * PATH_MAX];
    snprintf(command, sizeof command, "LD_PRELOAD='%s' timeout %d '%s/%s' 2>>'%s/said'", subject,
             PROGRAM_SECONDS, work, program, work);
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Returns the verdict that the program is about. */
static struct verdict assert_shown(const struct mutant *mutant, const struct trace *trace)
{
    const char *name = mutant->id;
    char path[PATH_MAX / 2], correct[PATH_MAX / 2];
    mutant_library(mutant, false, subjects_folder, path, sizeof path);
    mutant_library(mutant, true, subjects_folder, correct, sizeof correct);
    struct verdict verdict = find(path, trace);
    char *names = bring_read_names(path);
    program_use_names(names);
    compile(name, trace, &verdict);
    program_use_names(NULL);
    free(names);
    int status = run_on(name, path);
    if (status == 0 || (status == TIMED_OUT && verdict.check != CHECK_PROGRESS))
        fail_msg("%s/%s does not show it: status %d", work, name, status);
    status = run_on(name, correct);
    if (status != 0)
        fail_msg("%s/%s ends with status %d without the bug", work, name, status);
    return verdict;
}

static void program_fails_with_the_bug_and_holds_without(void **state)
{
    const struct mutant *mutant = *state;
    const struct trace trace = read_trace(mutant->id);
    (void)assert_shown(mutant, &trace);
}

static void program_repeats_the_calls_that_need_cycles(void **state)
{
    static const struct {
        const char *mutant, *text;
    } cases[] = {/* filling; a list of 24 freed chunks is full first */
                 {"flush_keeps_last", "#0 = malloc 1\n#1 = malloc 1\n#2 = malloc 177\n"
                                      "#3 = memalign 32 33\nfree #3\nfree #1\n#4 = malloc 1\n"},
                 /* plain */
                 {"malloc_zero_flips", "#0 = malloc 0\n"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct trace trace = parse(cases[i].text, strlen(cases[i].text));
        const struct verdict verdict = assert_shown(mutant_find(cases[i].mutant), &trace);
        assert_true(verdict_is_late(&verdict));
    }
}

int main(int argc, char **argv)
{
    struct CMUnitTest tests[MUTANT_END + 1];
    size_t count = 0, seen = 0, every = argc > 3 ? strtoul(argv[3], NULL, 10) : 1;
    const char *base = getenv("TMPDIR");
    if (argc < 3 || every == 0) {
        fprintf(stderr, "usage: %s SUBJECTS TRACES [EVERY]\n", argv[0]);
        return 2;
    }
    subjects_folder = argv[1];
    traces_folder = argv[2];
    snprintf(work, sizeof work, "%s/mallet-mutants-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(work) == NULL)
        return 2;
    for (const struct mutant *mutant = NULL; (mutant = mutant_next(mutant, "trace")) != NULL;)
        if (seen++ % every == 0)
            tests[count++] =
                (struct CMUnitTest){.name = mutant->id,
                                    .test_func = program_fails_with_the_bug_and_holds_without,
                                    .initial_state = (void *)(uintptr_t)mutant};
    tests[count++] =
        (struct CMUnitTest)cmocka_unit_test(program_repeats_the_calls_that_need_cycles);
    int failed = _cmocka_run_group_tests("programs", tests, count, NULL, NULL);
    char command[PATH_MAX];
    snprintf(command, sizeof command, "rm -r '%s'", work);
    return failed == 0 ? system(command) : failed;
}
