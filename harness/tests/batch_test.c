/* SPDX-License-Identifier: MIT */
/*
 * Batches of traces in one worker: `batch_test FOLDER`. Whatever happens in the middle of one is
 * put down to the trace that did it, those before are clean, those behind do not run, and the next
 * batch has a process of its own.
 */
#include "harness/executor/executor.h"
#include "mutants/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 5, BAD = 2, CPU_LIMIT_MS = 100, WALL_LIMIT_MS = 1500 };

static const char *subjects_folder;

/* Each trace is one malloc. */
struct batch {
    struct trace_op ops[BATCH];
    struct trace traces[BATCH];
    struct run_options options;
    struct executor_job jobs[BATCH];
    struct execution executions[BATCH];
    size_t done;
};

static struct executor *start(const char *name)
{
    struct executor *executor = NULL;
    char path[1024], error[SUBJECT_ERROR_MAX];
    const struct executor_options options = {.cpu_limit_ms = CPU_LIMIT_MS,
                                             .wall_limit_ms = WALL_LIMIT_MS};
    snprintf(path, sizeof path, "%s/lib%s.so", subjects_folder, name);
    if (executor_start(&executor, path, &options, error) != 0)
        fail_msg("%s", error);
    return executor;
}

static void run(struct executor *executor, struct batch *batch)
{
    char error[SUBJECT_ERROR_MAX];
    batch->options = executor_thorough(executor, 1);
    batch->options.rounds = 0;
    for (size_t i = 0; i < BATCH; i++) {
        batch->traces[i] = (struct trace){&batch->ops[i], 1, 1};
        batch->jobs[i] = (struct executor_job){&batch->traces[i], &batch->options};
    }
    if (executor_run_batch(executor, batch->jobs, BATCH, false, batch->executions, &batch->done,
                           error) != 0)
        fail_msg("%s", error);
}

static struct batch make_batch(void)
{
    struct batch batch = {.done = 0};
    for (size_t i = 0; i < BATCH; i++)
        batch.ops[i] = (struct trace_op){.kind = OP_MALLOC, .size = 100 + 16 * i};
    return batch;
}

static void assert_only_bad_one_fails(const struct batch *batch, const char *check)
{
    assert_int_equal(batch->done, BAD + 1);
    for (size_t i = 0; i < BAD; i++)
        assert_true(batch->executions[i].is_clean);
    assert_false(batch->executions[BAD].is_clean);
    assert_string_equal(check_name(batch->executions[BAD].verdict.check), check);
}

static void a_clean_batch_runs_in_one_process(void **state)
{
    (void)state;
    struct executor *executor = start("heap_none");
    struct batch batch = make_batch();
    for (size_t round = 0; round < 2; round++) {
        run(executor, &batch);
        assert_int_equal(batch.done, BATCH);
        for (size_t i = 0; i < BATCH; i++) {
            assert_true(batch.executions[i].is_clean);
            assert_int_equal(batch.executions[i].runs_in_worker, round * BATCH + i + 1);
            assert_int_equal(batch.executions[i].outcomes[0].ran, 1);
        }
    }
    executor_stop(executor);
}

static void a_worker_that_was_ended_is_followed_by_one_that_stays(void **state)
{
    (void)state;
    struct executor *executor = start("heap_none");
    struct batch batch = make_batch();
    run(executor, &batch);
    executor_end_worker(executor);
    run(executor, &batch);
    assert_int_equal(batch.executions[0].runs_in_worker, 1);
    run(executor, &batch);
    assert_int_equal(batch.executions[0].runs_in_worker, BATCH + 1);
    executor_stop(executor);
}

/* It takes over what is known of the subject, and has a worker of its own. */
static void an_executor_beside_another_runs_by_itself(void **state)
{
    (void)state;
    struct executor *first = start("heap_none"), *second = NULL;
    struct batch batch = make_batch();
    char error[SUBJECT_ERROR_MAX];
    run(first, &batch);
    if (executor_start_beside(&second, first, error) != 0)
        fail_msg("%s", error);
    assert_memory_equal(&executor_info(second)->policy, &executor_info(first)->policy,
                        sizeof(struct policy));
    assert_int_equal(executor_info(second)->capacity, executor_info(first)->capacity);
    executor_stop(first);
    run(second, &batch);
    assert_int_equal(batch.done, BATCH);
    assert_int_equal(batch.executions[0].runs_in_worker, 1);
    assert_true(batch.executions[BATCH - 1].is_clean);
    executor_stop(second);
}

static void each_trace_has_features_of_its_own(void **state)
{
    (void)state;
    struct executor *executor = start("heap_none");
    struct batch batch = make_batch();
    batch.ops[BAD] = (struct trace_op){.kind = OP_FREE_NULL};
    run(executor, &batch);
    for (size_t i = 0; i < BATCH; i++) {
        size_t counted = 0;
        for (size_t feature = 0; feature < RUN_FEATURES; feature++)
            counted += batch.executions[i].features[feature];
        assert_int_equal(counted, i == BAD ? 0 : 2); /* a block made and freed */
    }
    executor_stop(executor);
}

static void a_verdict_ends_the_batch(void **state)
{
    (void)state;
    struct executor *executor = start("heap_calloc_wrap");
    struct batch batch = make_batch();
    batch.ops[BAD] =
        (struct trace_op){.kind = OP_CALLOC, .size = UINT64_C(1) << 31, .extra = UINT64_C(1) << 33};
    run(executor, &batch);
    assert_only_bad_one_fails(&batch, "impossible");
    run(executor, &batch);
    assert_int_equal(batch.executions[0].runs_in_worker, 1);
    executor_stop(executor);
}

/* Each hostile subject that works until one call. */
static const struct {
    const char *name, *check;
} deaths[] = {{"hostile_exit_in_malloc", "crash"},
              {"hostile_kill_group", "crash"},
              {"hostile_spin", "progress"},
              {"hostile_deadlock", "progress"},
              {"hostile_close_in_malloc", "crash"}};

static void a_death_is_put_down_to_the_trace_that_ran(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof deaths / sizeof deaths[0]; i++) {
        struct executor *executor = start(deaths[i].name);
        struct batch batch = make_batch();
        batch.ops[BAD].size = MUTANT_HOSTILE_SIZE;
        run(executor, &batch);
        print_message("%s: %s\n", deaths[i].name, batch.executions[BAD].verdict.sentence);
        assert_only_bad_one_fails(&batch, deaths[i].check);
        batch.ops[BAD].size = 100;
        run(executor, &batch);
        assert_int_equal(batch.done, BATCH);
        assert_int_equal(batch.executions[0].runs_in_worker, 1);
        executor_stop(executor);
    }
}

/* What it wrote over the record is not believed: some trace of the batch is not clean, and the
 * executor works on. */
static void a_record_that_was_overwritten_harms_nobody(void **state)
{
    (void)state;
    struct executor *executor = start("hostile_scribble");
    struct batch batch = make_batch();
    batch.ops[BAD].size = MUTANT_HOSTILE_SIZE;
    run(executor, &batch);
    assert_in_range(batch.done, 1, BATCH);
    assert_false(batch.executions[batch.done - 1].is_clean);
    batch.ops[BAD].size = 100;
    run(executor, &batch);
    assert_int_equal(batch.done, BATCH);
    executor_stop(executor);
}

static void what_has_no_room_waits(void **state)
{
    (void)state;
    static struct trace_op ops[TRACE_OPS_MAX];
    struct executor *executor = start("heap_none");
    const struct run_options options = {0};
    struct execution executions[2];
    char error[SUBJECT_ERROR_MAX];
    size_t done = 0;
    for (size_t i = 0; i < TRACE_OPS_MAX; i++)
        ops[i] = (struct trace_op){.kind = OP_FREE_NULL};
    const struct trace whole = {ops, TRACE_OPS_MAX, TRACE_OPS_MAX}, small = {ops, 1, 1};
    const struct executor_job jobs[] = {{&whole, &options}, {&small, &options}};
    assert_int_equal(executor_run_batch(executor, jobs, 2, false, executions, &done, error), 0);
    assert_int_equal(done, 1);
    assert_true(executions[0].is_clean);
    executor_stop(executor);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_batch_runs_in_one_process),
        cmocka_unit_test(a_worker_that_was_ended_is_followed_by_one_that_stays),
        cmocka_unit_test(an_executor_beside_another_runs_by_itself),
        cmocka_unit_test(each_trace_has_features_of_its_own),
        cmocka_unit_test(a_verdict_ends_the_batch),
        cmocka_unit_test(a_death_is_put_down_to_the_trace_that_ran),
        cmocka_unit_test(a_record_that_was_overwritten_harms_nobody),
        cmocka_unit_test(what_has_no_room_waits),
    };
    if (argc < 2) {
        fprintf(stderr, "usage: batch_test FOLDER\n");
        return 2;
    }
    subjects_folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
