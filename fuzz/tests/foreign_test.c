/* SPDX-License-Identifier: MIT */
/*
 * The lanes of a subject in processes of its own: `foreign_test FOLDER`. Traces in which OS calls
 * fail leave those of the others unwatched, and a verdict of one lane ends nothing in the other.
 */
#include "fuzz/findings.h"
#include "fuzz/foreign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 6, OPS = 2 };

static const char *subjects_folder;

static struct {
    struct trace_op ops[BATCH][OPS];
    struct trace traces[BATCH];
    struct foreign_input inputs[BATCH];
    size_t order[BATCH], taken;
} batch;

/* Each trace is one malloc; those with odd numbers have a fault too, which comes too late. */
static void make_batch(void)
{
    memset(&batch, 0, sizeof batch);
    for (size_t i = 0; i < BATCH; i++) {
        batch.ops[i][0] = (struct trace_op){.kind = OP_MALLOC, .size = 100 + 16 * i};
        batch.ops[i][1] = (struct trace_op){.kind = OP_FAIL_OS, .extra = 1000};
        batch.traces[i] = (struct trace){batch.ops[i], 1 + i % 2, OPS};
        batch.inputs[i] = (struct foreign_input){&batch.traces[i], {.fill_max = 8192}};
    }
}

static void take(size_t index, const uint8_t *features)
{
    size_t counted = 0;
    for (size_t i = 0; i < RUN_FEATURES; i++)
        counted += features[i];
    assert_true(counted >= 1); /* a block made */
    batch.order[batch.taken++] = index;
}

static void assert_order(const size_t expected[], size_t count)
{
    assert_int_equal(batch.taken, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(batch.order[i], expected[i]);
}

static void open_subject(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.so", subjects_folder, name);
    findings_open(NULL);
    foreign_open(path);
}

static void traces_with_faults_run_in_a_lane_of_their_own(void **state)
{
    (void)state;
    open_subject("mutants/libheap_none");
    make_batch();
    assert_int_equal(foreign_run(batch.inputs, BATCH, take), BATCH);
    assert_order((const size_t[]){0, 2, 4, 1, 3, 5}, BATCH);
}

/* What moves the break spends its worker: nothing comes behind it. */
static void what_moves_the_break_comes_last(void **state)
{
    (void)state;
    open_subject("mutants/libheap_none");
    make_batch();
    batch.ops[2][1] = (struct trace_op){.kind = OP_SBRK, .extra = 4096};
    batch.traces[2].count = 2;
    assert_int_equal(foreign_run(batch.inputs, BATCH, take), BATCH);
    assert_order((const size_t[]){0, 4, 2, 1, 3, 5}, BATCH);
}

static void a_verdict_ends_its_lane_alone(void **state)
{
    (void)state;
    const struct verdict expected = {.check = CHECK_IMPOSSIBLE, .site = "calloc"};
    open_subject("mutants/libheap_calloc_wrap");
    make_batch();
    batch.ops[2][1] = (struct trace_op){
        .kind = OP_CALLOC, .slot = 1, .size = UINT64_C(1) << 31, .extra = UINT64_C(1) << 33};
    batch.traces[2].count = 2;
    assert_int_equal(foreign_run(batch.inputs, BATCH, take), BATCH - 1);
    assert_order((const size_t[]){0, 2, 1, 3, 5}, BATCH - 1);
    assert_true(findings_is_known(&expected));
}

static void take_any(size_t index, const uint8_t *features)
{
    (void)index;
    (void)features;
}

/* Its 1 TiB of addresses has no 8 MiB left. */
static void a_refusal_by_what_never_uses_an_address_twice_is_forgotten(void **state)
{
    (void)state;
    const struct verdict refusal = {.check = CHECK_NULL, .site = "malloc"};
    open_subject("sound/libnever_reused");
    make_batch();
    for (size_t i = 0; i < 4; i++)
        batch.ops[i][0].size = UINT64_C(1) << 38;
    batch.ops[3][0].size -= UINT64_C(4) << 20;
    batch.ops[4][0].size = UINT64_C(8) << 20;
    for (size_t i = 0; i < BATCH; i++)
        batch.traces[i].count = 1;
    assert_int_equal(foreign_run(batch.inputs, 5, take_any), 5);
    assert_false(findings_is_known(&refusal));
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(traces_with_faults_run_in_a_lane_of_their_own),
        cmocka_unit_test(what_moves_the_break_comes_last),
        cmocka_unit_test(a_verdict_ends_its_lane_alone),
        cmocka_unit_test(a_refusal_by_what_never_uses_an_address_twice_is_forgotten),
    };
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    subjects_folder = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
