/* SPDX-License-Identifier: MIT */
/*
 * Hostile subjects: `binding_test FOLDER`. Whatever one does, when it is loaded or in the middle of
 * a call, ends in one sentence or one verdict within the limits, and the caller lives on.
 */
#include "harness/base/clock.h"
#include "harness/base/memory.h"
#include "harness/executor/executor.h"
#include "harness/finding/finding.h"
#include "mutants/registry.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    HOSTILE_SIZE = MUTANT_HOSTILE_SIZE,
    CPU_LIMIT_MS = 100,
    WALL_LIMIT_MS = 1500,
    SLOWEST_MS = 5000,
    OTHER_TESTS = 14
};

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
    {"kill_group", "died of signal 6 (Aborted)", NULL},
    {"kill_on_free", "died of signal 6 (Aborted)", "free(): invalid pointer"},
    {"assert_deadlock", "a deadlock", NULL},
    {"write_everywhere", "`#0 = malloc 12345` had ", "noise"},
    {"scribble", "died of signal", NULL},
    {"close_in_malloc", "it lost descriptor 4", NULL},
    {"only_preloaded", "8 bytes past a multiple of 16", NULL},
    {"stack_block", "the program's own memory", NULL},
    {"usable_crashes", "malloc_usable_size, after `#0 = malloc 12345`, died of signal 11", NULL},
    {"usable_grants_more",
     "in the bytes that malloc_usable_size grants beyond those of `#0 =", NULL},
    {"read_only_block", "while the blocks around `#0 = malloc 12345` were touched", NULL},
};
enum { SUBJECTS = sizeof subjects / sizeof subjects[0] };

static const char *subjects_folder;

static int start_with(struct executor **ret_executor, const char *id,
                      const struct executor_options *options, char error[SUBJECT_ERROR_MAX])
{
    char path[1024];
    snprintf(path, sizeof path, "%s/libhostile_%s.so", subjects_folder, id);
    return executor_start(ret_executor, path, options, error);
}

static int start_subject(struct executor **ret_executor, const char *id,
                         enum subject_binding binding, char error[SUBJECT_ERROR_MAX])
{
    const struct executor_options options = {
        .binding = binding, .cpu_limit_ms = CPU_LIMIT_MS, .wall_limit_ms = WALL_LIMIT_MS};
    return start_with(ret_executor, id, &options, error);
}

static int try_one_malloc(struct executor *executor, uint64_t size, struct execution *ret_execution,
                          char error[SUBJECT_ERROR_MAX])
{
    struct trace_op op = {.kind = OP_MALLOC, .size = size};
    const struct trace trace = {&op, 1, 1};
    const struct run_options options = executor_thorough(executor, 1);
    return executor_run(executor, &trace, &options, true, ret_execution, error);
}

static struct execution run_one_malloc(struct executor *executor, uint64_t size)
{
    struct execution execution;
    char error[SUBJECT_ERROR_MAX];
    if (try_one_malloc(executor, size, &execution, error) != 0)
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
    uint64_t start = clock_now_ms();
    assert_int_not_equal(start_subject(&executor, hostile->id, BIND_AUTO, error), 0);
    print_message("%s: %s\n", hostile->id, error);
    assert_has(error, "could not bind");
    assert_has(error, hostile->id);
    assert_has(error, hostile->sentence);
    assert_null(strchr(error, '\n'));
    assert_in_range(clock_now_ms() - start, 0, SLOWEST_MS);
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

static void subject_that_refuses_dlopen_is_preloaded(void **state)
{
    (void)state;
    struct executor *executor;
    char error[SUBJECT_ERROR_MAX];
    if (start_subject(&executor, "only_preloaded", BIND_AUTO, error) != 0)
        fail_msg("%s", error);
    assert_int_equal(executor_info(executor)->subject.binding, BIND_PRELOAD);
    executor_stop(executor);
    assert_int_equal(start_subject(&executor, "only_preloaded", BIND_DLOPEN, error), EINVAL);
    assert_has(error, "it is linked with -z nodlopen, so it can only be preloaded");
}

/* Nothing but the header; the test narrow.sh has whole ones. */
static void object_of_32_bits_goes_to_a_child_of_its_own(void **state)
{
    (void)state;
    const Elf32_Ehdr headers[2] = {{.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32},
                                    .e_type = ET_DYN,
                                    .e_machine = EM_386}};
    struct subject_plan plan;
    char path[] = "/tmp/mallet-narrow-XXXXXX", error[SUBJECT_ERROR_MAX], program[PATH_MAX];
    int file = mkstemp(path);
    assert_int_equal(write(file, headers, sizeof headers), sizeof headers);
    close(file);
    int result = subject_resolve(&plan, path, BIND_AUTO, SUBJECT_IN_PROCESS, error);
    unlink(path);
    if (result != 0) { /* this build has no such child */
        assert_int_equal(result, EINVAL);
        assert_has(error, "it is a 32-bit object, and this build has no child program for these");
        return;
    }
    assert_true(subject_plan_program(&plan, program));
    assert_has(program, "/mallet-child-32");
    assert_string_equal(subject_plan_compile_option(&plan), "-m32");
}

/* fork_hangs, hang_early, host_calloc, the orphans and student have tests of their own. */
static void every_hostile_mutant_has_its_sentence(void **state)
{
    (void)state;
    const struct mutant *mutant;
    size_t count = 6;
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

static struct executor *start_or_fail(const char *name)
{
    struct executor *executor = NULL;
    char error[SUBJECT_ERROR_MAX];
    if (start_subject(&executor, name, BIND_AUTO, error) != 0)
        fail_msg("%s", error);
    return executor;
}

static struct execution run_forks(struct executor *executor, size_t count)
{
    enum { FORKS_MAX = 4 };
    struct trace_op ops[FORKS_MAX] = {0};
    struct execution execution;
    char error[SUBJECT_ERROR_MAX];
    for (size_t i = 0; i < count; i++)
        ops[i].kind = OP_FORK;
    const struct trace trace = {ops, count, count};
    const struct run_options options = executor_thorough(executor, count);
    if (executor_run(executor, &trace, &options, true, &execution, error) != 0)
        fail_msg("%s", error);
    return execution;
}

/* Two workers ask what the subject is: the first one that runs a trace cannot be forked. */
static void subject_whose_fork_hangs_is_run_without_one_and_judged(void **state)
{
    (void)state;
    struct executor *executor = start_or_fail("fork_hangs");
    assert_false(executor_info(executor)->has_broken_fork);
    assert_true(run_one_malloc(executor, 100).is_clean);
    assert_true(executor_info(executor)->has_broken_fork);
    assert_true(run_forks(executor, 2).is_clean);
    for (int i = 0; i < 2; i++) {
        struct execution execution = run_forks(executor, 3);
        assert_false(execution.is_clean);
        print_message("fork_hangs: %s\n", execution.verdict.sentence);
        assert_string_equal(check_name(execution.verdict.check), "progress");
        assert_string_equal(execution.verdict.site, "fork");
        assert_has(execution.verdict.sentence, "`fork` had not returned");
        assert_int_equal(execution.verdict.op, 2);
    }
    executor_stop(executor);
}

/* Its object is gone when it has to be started anew. The descriptors that the executor gave up are
 * taken by others before it is stopped: it must not close them once more. */
static void zygote_that_cannot_be_started_again_is_given_up_once(void **state)
{
    (void)state;
    enum { OTHERS = 8 };
    int others[OTHERS];
    const struct executor_options options = {.wall_limit_ms = WALL_LIMIT_MS};
    struct executor *executor;
    struct execution execution;
    char path[] = "/tmp/mallet-gone-XXXXXX", command[2 * PATH_MAX], error[SUBJECT_ERROR_MAX];
    close(mkstemp(path));
    snprintf(command, sizeof command, "cp '%s/libhostile_fork_hangs.so' %s", subjects_folder, path);
    assert_int_equal(system(command), 0);
    if (executor_start(&executor, path, &options, error) != 0)
        fail_msg("%s", error);
    unlink(path);
    assert_int_not_equal(try_one_malloc(executor, 100, &execution, error), 0);
    assert_has(error, "could not bind");
    for (int i = 0; i < OTHERS; i++)
        others[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_not_equal(try_one_malloc(executor, 100, &execution, error), 0);
    executor_stop(executor);
    for (int i = 0; i < OTHERS; i++)
        assert_int_equal(close(others[i]), 0);
}

/* What is asked of it first hangs too: that is left for the traces to judge. */
static void subject_that_hangs_in_its_first_calls_is_bound_and_judged(void **state)
{
    (void)state;
    enum { CALLS = 12 };
    struct trace_op ops[CALLS];
    struct execution execution;
    char error[SUBJECT_ERROR_MAX];
    struct executor *executor = start_or_fail("hang_early");
    for (uint32_t i = 0; i < CALLS; i++)
        ops[i] = (struct trace_op){.kind = OP_MALLOC, .slot = i, .size = 100};
    const struct trace trace = {ops, CALLS, CALLS};
    const struct run_options options = executor_thorough(executor, CALLS);
    if (executor_run(executor, &trace, &options, true, &execution, error) != 0)
        fail_msg("%s", error);
    assert_false(execution.is_clean);
    assert_string_equal(check_name(execution.verdict.check), "progress");
    assert_int_equal(execution.verdict.op, 10);
    executor_stop(executor);
}

static void ignore_signal(int number)
{
    (void)number;
}

static void interrupted_system_calls_are_repeated(void **state)
{
    (void)state;
    const struct itimerval often = {{0, 300}, {0, 300}}, never = {{0, 0}, {0, 0}};
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = ignore_signal}, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    struct executor *executor = start_or_fail("spin");
    for (int i = 0; i < 50; i++)
        assert_true(run_one_malloc(executor, 100).is_clean);
    executor_stop(executor);
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_DFL);
}

static unsigned cpu_ms_of_hang(struct executor *executor)
{
    unsigned used = 0;
    struct execution execution = run_one_malloc(executor, HOSTILE_SIZE);
    const char *number = strstr(execution.verdict.sentence, "had used ");
    assert_non_null(number);
    assert_int_equal(sscanf(number, "had used %u ms", &used), 1);
    return used;
}

/* Slow calls return within that, and what hung once need not prove it again. */
static void only_the_first_hang_gets_ten_times_the_limit(void **state)
{
    (void)state;
    struct executor *executor = start_or_fail("spin");
    unsigned first = cpu_ms_of_hang(executor), second = cpu_ms_of_hang(executor);
    executor_stop(executor);
    assert_in_range(first, 10 * CPU_LIMIT_MS, UINT32_MAX);
    assert_in_range(second, CPU_LIMIT_MS, 10 * CPU_LIMIT_MS - 1);
}

/* A sound realloc may copy as much as its block has. */
static void calls_behind_a_large_request_get_the_time_to_touch_it(void **state)
{
    (void)state;
    enum { LARGE = 512 << 20 };
    struct execution execution;
    char error[SUBJECT_ERROR_MAX];
    struct executor *executor = start_or_fail("spin");
    struct trace_op ops[] = {{.kind = OP_MALLOC, .size = LARGE},
                             {.kind = OP_MALLOC, .slot = 1, .size = HOSTILE_SIZE}};
    const struct trace trace = {ops, 2, 2};
    const struct run_options options = {0};
    (void)cpu_ms_of_hang(executor);
    assert_int_equal(executor_run(executor, &trace, &options, true, &execution, error), 0);
    executor_stop(executor);
    unsigned used = 0;
    assert_int_equal(sscanf(strstr(execution.verdict.sentence, "had used"), "had used %u", &used),
                     1);
    assert_in_range(used, CPU_LIMIT_MS + memory_touch_ms(LARGE), UINT32_MAX);
}

static uint64_t cancel_after_ms;

static bool is_late(void)
{
    return clock_now_ms() > cancel_after_ms;
}

/* Limits are those of a slow search; what it runs hangs. */
static void cancelled_run_and_shrinking_end_at_once(void **state)
{
    (void)state;
    enum { OPS = 64 };
    struct executor *executor;
    struct execution execution;
    char error[SUBJECT_ERROR_MAX];
    struct trace_op ops[OPS] = {0};
    struct trace trace = {ops, OPS, OPS};
    const struct verdict verdict = {.check = CHECK_PROGRESS, .site = "malloc"};
    const struct executor_options options = {.wall_limit_ms = 60000, .is_cancelled = is_late};
    for (uint32_t i = 0; i < OPS; i++)
        ops[i] = (struct trace_op){.kind = OP_MALLOC, .slot = i, .size = HOSTILE_SIZE};
    cancel_after_ms = UINT64_MAX;
    assert_int_equal(start_with(&executor, "deadlock", &options, error), 0);
    uint64_t start = clock_now_ms();
    cancel_after_ms = start + 200;
    assert_int_equal(try_one_malloc(executor, HOSTILE_SIZE, &execution, error), ECANCELED);
    cancel_after_ms = clock_now_ms() + 200;
    assert_int_equal(shrink_trace(executor, &trace, &verdict, 0, &execution, error), ECANCELED);
    assert_in_range(clock_now_ms() - start, 0, SLOWEST_MS);
    executor_stop(executor);
}

static bool is_orphan(const char *process)
{
    char path[64], name[32] = "";
    snprintf(path, sizeof path, "/proc/%.16s/comm", process);
    FILE *file = fopen(path, "re");
    bool is_read = file != NULL && fgets(name, sizeof name, file) != NULL;
    if (file != NULL)
        fclose(file);
    return is_read && strcmp(name, "hostile-orphan\n") == 0;
}

static unsigned count_orphans(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc");
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += is_orphan(entry->d_name);
    closedir(folder);
    return count;
}

static void what_a_subject_starts_ends_with_its_worker(void **state)
{
    (void)state;
    struct executor *executor = start_or_fail("orphan");
    run_one_malloc(executor, HOSTILE_SIZE);
    uint64_t end = clock_now_ms() + SLOWEST_MS;
    while (count_orphans() > 0 && clock_now_ms() < end)
        usleep(10000);
    assert_int_equal(count_orphans(), 0);
    executor_stop(executor);
}

int main(int argc, char **argv)
{
    struct mutant_catch catch;
    struct CMUnitTest tests[SUBJECTS + OTHER_TESTS] = {
        cmocka_unit_test(subject_whose_fork_hangs_is_run_without_one_and_judged),
        cmocka_unit_test(zygote_that_cannot_be_started_again_is_given_up_once),
        cmocka_unit_test(interrupted_system_calls_are_repeated),
        cmocka_unit_test(calls_behind_a_large_request_get_the_time_to_touch_it),
        cmocka_unit_test(only_the_first_hang_gets_ten_times_the_limit),
        cmocka_unit_test(cancelled_run_and_shrinking_end_at_once),
        cmocka_unit_test(what_a_subject_starts_ends_with_its_worker),
        cmocka_unit_test(every_hostile_mutant_has_its_sentence),
        cmocka_unit_test(calloc_of_another_heap_is_a_failed_binding_and_no_verdict),
        cmocka_unit_test(subject_that_dlopen_cannot_bind_is_preloaded),
        cmocka_unit_test(subject_that_refuses_dlopen_is_preloaded),
        cmocka_unit_test(object_of_32_bits_goes_to_a_child_of_its_own),
        cmocka_unit_test(student_allocator_binds_and_fails),
        cmocka_unit_test(names_that_are_no_path_are_refused),
        cmocka_unit_test(subject_that_hangs_in_its_first_calls_is_bound_and_judged),
    };
    for (size_t i = 0; i < SUBJECTS; i++)
        tests[OTHER_TESTS + i] = (struct CMUnitTest){
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
