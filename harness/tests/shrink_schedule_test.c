/* SPDX-License-Identifier: MIT */
#include "harness/finding/shrink_schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { OPS_MAX = 16, TEXT_MAX = 512 };

static struct trace parse(const char *text)
{
    static struct trace_op ops[OPS_MAX];
    struct trace trace = {.ops = ops, .capacity = OPS_MAX};
    struct trace_error error;
    assert_int_equal(trace_parse(text, strlen(text), &trace, &error), 0);
    return trace;
}

static void assert_text(const struct trace *trace, const char *wanted)
{
    char text[TEXT_MAX];
    trace_format(trace, text, sizeof text);
    assert_string_equal(text, wanted);
}

static void drops_all_ops_of_a_kind(void **state)
{
    (void)state;
    struct trace trace = parse("fork\nthread 1\n#0 = malloc 1\nthread-exit 1\nfork\n");
    assert_true(schedule_drop(&trace, 1u << OP_FORK));
    assert_text(&trace, "thread 1\n#0 = malloc 1\nthread-exit 1\n");
    assert_false(schedule_drop(&trace, 1u << OP_FORK));
}

static void numbers_threads_as_they_appear(void **state)
{
    (void)state;
    struct trace trace = parse("thread 5\nthread 0\nthread 3\nthread-exit 5\n");
    assert_true(schedule_renumber(&trace));
    assert_text(&trace, "thread 1\nthread 0\nthread 2\nthread-exit 1\n");
    assert_false(schedule_renumber(&trace));
}

static void merges_two_threads(void **state)
{
    (void)state;
    struct trace trace = parse("thread 1\nthread 2\nthread-exit 2\n");
    assert_true(schedule_merge(&trace, 2, 1));
    assert_text(&trace, "thread 1\nthread 1\nthread-exit 1\n");
    assert_false(schedule_merge(&trace, 2, 1));
}

static void moves_a_failure_to_the_op_that_it_is_for(void **state)
{
    (void)state;
    struct trace trace = parse("fail-os 3\n#0 = malloc 1\n#1 = malloc 2\nfree #0\n");
    assert_true(schedule_move_fault(&trace, 0, 3));
    assert_text(&trace, "#0 = malloc 1\n#1 = malloc 2\nfail-os 1\nfree #0\n");
    assert_false(schedule_move_fault(&trace, 0, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drops_all_ops_of_a_kind),
        cmocka_unit_test(numbers_threads_as_they_appear),
        cmocka_unit_test(merges_two_threads),
        cmocka_unit_test(moves_a_failure_to_the_op_that_it_is_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
