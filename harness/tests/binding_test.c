/* SPDX-License-Identifier: MIT */
/*
 * Hostile subjects: `binding_test FOLDER`. Whatever one does, when it is loaded or in the middle of
 * a call, ends in one sentence or one verdict within the limits, and the caller lives on.
 */
#include "harness/executor/executor.h"
#include "mutants/registry.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { HOSTILE_SIZE = 12345, CPU_LIMIT_MS = 300, WALL_LIMIT_MS = 1500, SLOWEST_MS = 5000 };

/* What must come of a subject. */
struct hostile {
    const char *id; /* libhostile_<id>.so; the registry has its check, or that it is not bound */
    const char *sentence; /* a part of it */
    const char *output;   /* what the subject printed, as far as it is kept; NULL: nothing */
};

static struct hostile subjects[] = {
    {"exit_at_load", "called exit(4) while it was loaded", NULL},
    {"abort_at_load", "died of signal 6 (Aborted) while it was loaded: cannot work like this",
     NULL},
    {"crash_at_load", "died of signal 11 (Segmentation fault) while it was loaded", NULL},
    {"hang_at_load", "was still not loaded after 1500 ms", NULL},
    {"print_at_load", "was still not loaded after 1500 ms", NULL},
    {"close_at_load", "closed descriptor 3, its connection to the harness, while it was loaded",
     NULL},
    {"no_malloc", "does not define malloc", NULL},
    {"text", "invalid ELF header", NULL},
    {"missing", "No such file", NULL},
    {"exit_in_malloc", "`#0 = malloc 12345` called exit(3)", NULL},
    {"deadlock", "a deadlock", NULL},
    {"spin", "ms of CPU without returning", NULL},
    {"print_in_malloc", "ms of CPU without returning", "malloc: still looking"},
    {"scribble", "died of signal", NULL},
    {"close_in_malloc", "`#0 = malloc 12345` it lost descriptor 4", NULL},
    {"stack_block", "the program's own memory", NULL},
    {"read_only_block", "touching the blocks around `#0 = malloc 12345`", NULL},
};
enum { SUBJECTS = sizeof subjects / sizeof subjects[0] };

static const char *subjects_folder;

static uint64_t read_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int start_subject(struct executor **ret_executor, const char *id,
                         enum subject_binding binding, char error[SUBJECT_ERROR_MAX])
{
    char path[1024];
    const struct executor_options options = {
        .binding = binding, .cpu_limit_ms = CPU_LIMIT_MS, .wall_limit_ms = WALL_LIMIT_MS};
    snprintf(path, sizeof path, "%s/libhostile_%s.so", subjects_folder, id);
    return executor_start(ret_executor, path, &options, error);
}

static struct execution run_one_malloc(struct executor *executor, uint64_t size)
{
    struct trace_op op = {.kind = OP_MALLOC, .size = size};
    const struct trace trace = {&op, 1, 1};
    const struct run_options options = executor_thorough(executor, 1);
    struct execution execution;
    char error[SUBJECT_ERROR_MAX];
    if (executor_run(executor, &trace, &options, true, &execution, error) != 0)
        fail_msg("%s", error);
    return execution;
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", text, part);
}

static bool find_catch(const char *id, const char *means, struct mutant_catch *ret_catch)
{
    const struct mutant *mutant = mutant_find(id);
    return mutant != NULL && mutant_catch_find(mutant, means, ret_catch);
}

/* ---- tests ---- */

static void subject_that_cannot_be_bound_is_said_to_be_in_one_sentence(void **state)
{
    const struct hostile *hostile = *state;
    struct executor *executor;
    char error[SUBJECT_ERROR_MAX];
    uint64_t start = read_ms();
    assert_int_not_equal(start_subject(&executor, hostile->id, BIND_AUTO, error), 0);
    print_message("%s: %s\n", hostile->id, error);
    assert_has(error, "could not bind");
    assert_has(error, hostile->id);
    assert_has(error, hostile->sentence);
    assert_null(strchr(error, '\n'));
    assert_in_range(read_ms() - start, 0, SLOWEST_MS);
}

/* Twice: a verdict leaves the executor as good as new. */
static void subject_that_fails_in_a_call_is_judged_by_its_op(void **state)
{
    const struct hostile *hostile = *state;
    struct mutant_catch catch;
    struct executor *executor;
    char error[SUBJECT_ERROR_MAX];
    assert_true(find_catch(hostile->id, "call", &catch));
    if (start_subject(&executor, hostile->id, BIND_AUTO, error) != 0)
        fail_msg("%s", error);
    for (int i = 0; i < 2; i++) {
        struct execution execution = run_one_malloc(executor, HOSTILE_SIZE);
        assert_false(execution.is_clean);
        print_message("%s: %s: %s [%s]\n", hostile->id, check_name(execution.verdict.check),
                      execution.verdict.sentence, execution.output);
        assert_string_equal(check_name(execution.verdict.check), catch.names);
        assert_has(execution.verdict.sentence, hostile->sentence);
        assert_string_equal(execution.output, hostile->output != NULL ? hostile->output : "");
        assert_true(run_one_malloc(executor, 100).is_clean);
    }
    executor_stop(executor);
}

static void calloc_of_another_heap_is_a_failed_binding_and_no_verdict(void **state)
{
    (void)state;
    struct executor *executor;
    char error[SUBJECT_ERROR_MAX];
    assert_int_equal(start_subject(&executor, "host_calloc", BIND_DLOPEN, error), EXDEV);
    assert_has(error, "could not bind libhostile_host_calloc.so: its calloc is served by");
}

/* Preloaded, no loader is to blame: what the subject calls is what it is. */
static void subject_that_dlopen_cannot_bind_is_preloaded(void **state)
{
    (void)state;
    struct executor *executor;
    char error[SUBJECT_ERROR_MAX];
    if (start_subject(&executor, "host_calloc", BIND_AUTO, error) != 0)
        fail_msg("%s", error);
    assert_int_equal(executor_info(executor)->subject.binding, BIND_PRELOAD);
    executor_stop(executor);
}

/* host_calloc and student have tests of their own. */
static void every_hostile_mutant_has_its_sentence(void **state)
{
    (void)state;
    const struct mutant *mutant;
    size_t count = 2;
    for (size_t i = 0; i < SUBJECTS; i++)
        count += mutant_find(subjects[i].id) != NULL;
    for (size_t i = 0; (mutant = mutant_at(i)) != NULL; i++)
        count -= strcmp(mutant->origin, "hostile") == 0;
    assert_int_equal(count, 0);
}

static void student_allocator_binds_and_fails(void **state)
{
    (void)state;
    struct executor *executor;
    char error[SUBJECT_ERROR_MAX];
    if (start_subject(&executor, "student", BIND_AUTO, error) != 0)
        fail_msg("%s", error);
    struct execution execution = run_one_malloc(executor, 100);
    assert_false(execution.is_clean);
    print_message("student: %s: %s\n", check_name(execution.verdict.check),
                  execution.verdict.sentence);
    assert_string_equal(check_name(execution.verdict.check), "alignment");
    executor_stop(executor);
}

static void names_that_are_no_path_are_refused(void **state)
{
    (void)state;
    struct executor *executor;
    char error[SUBJECT_ERROR_MAX];
    assert_int_equal(executor_start(&executor, "libstudent.so", NULL, error), ENOENT);
    assert_has(error, "unknown subject `libstudent.so`");
}

int main(int argc, char **argv)
{
    struct mutant_catch catch;
    struct CMUnitTest tests[SUBJECTS + 5] = {
        cmocka_unit_test(every_hostile_mutant_has_its_sentence),
        cmocka_unit_test(calloc_of_another_heap_is_a_failed_binding_and_no_verdict),
        cmocka_unit_test(subject_that_dlopen_cannot_bind_is_preloaded),
        cmocka_unit_test(student_allocator_binds_and_fails),
        cmocka_unit_test(names_that_are_no_path_are_refused),
    };
    for (size_t i = 0; i < SUBJECTS; i++)
        tests[5 + i] = (struct CMUnitTest){
            .name = subjects[i].id,
            .test_func = !find_catch(subjects[i].id, "call", &catch)
                             ? subject_that_cannot_be_bound_is_said_to_be_in_one_sentence
                             : subject_that_fails_in_a_call_is_judged_by_its_op,
            .initial_state = &subjects[i]};
    if (argc < 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    subjects_folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
