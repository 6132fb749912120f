/* SPDX-License-Identifier: MIT */
/* Inputs of our own: from parents with new behaviour, for the engine when their own is new. */
#include "fuzz/children.h"

#include "fuzz/mutator.h"
#include "harness/run/run.h"
#include "harness/trace/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { LENGTH = 8 * TRACE_RECORD_SIZE };

static uint8_t bytes[LENGTH], features[RUN_COUNTERS], taken[4096];

/* In this order: all state is the process's. */

static void there_are_none_before_the_engine_mutates(void **state)
{
    (void)state;
    assert_int_equal(children_count(), 0);
    children_start(LENGTH);
    assert_int_equal(children_count(), CHILDREN_MAX);
}

static void there_are_none_without_a_parent(void **state)
{
    (void)state;
    const uint8_t *child;
    assert_int_equal(children_make(0, &child), 0);
}

static void an_input_of_the_engine_with_new_behaviour_is_a_parent(void **state)
{
    (void)state;
    const uint8_t *child;
    features[3] = 1;
    mutator_mutate(bytes, 0, LENGTH, 1);
    children_learn(bytes, LENGTH, features, false);
    for (size_t i = 0; i < CHILDREN_MAX; i++)
        assert_in_range(children_make(i, &child), TRACE_RECORD_SIZE, LENGTH);
    assert_int_equal(children_take(taken, sizeof taken), 0);
}

static void a_child_is_handed_over_once_and_only_for_new_behaviour(void **state)
{
    (void)state;
    children_learn(bytes, LENGTH, features, true);
    assert_int_equal(children_take(taken, sizeof taken), 0);
    features[3] = 2;
    children_learn(bytes, LENGTH, features, true);
    assert_int_equal(children_take(taken, sizeof taken), LENGTH);
    assert_memory_equal(taken, bytes, LENGTH);
    assert_int_equal(children_take(taken, sizeof taken), 0);
}

static void counts_of_one_magnitude_are_not_new(void **state)
{
    (void)state;
    features[3] = 3;
    children_learn(bytes, LENGTH, features, true);
    assert_int_equal(children_take(taken, sizeof taken), 0);
}

static void a_child_too_long_for_the_engine_is_dropped(void **state)
{
    (void)state;
    features[4] = 1;
    children_learn(bytes, LENGTH, features, true);
    assert_int_equal(children_take(taken, LENGTH - 1), 0);
    assert_int_equal(children_take(taken, LENGTH), 0);
}

static void a_slow_subject_has_fewer(void **state)
{
    (void)state;
    children_note_time(10, 200);
    assert_int_equal(children_count(), 5);
    children_note_time(1, 5000);
    assert_int_equal(children_count(), 0);
    children_note_time(1, 0);
    assert_int_equal(children_count(), CHILDREN_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_none_before_the_engine_mutates),
        cmocka_unit_test(there_are_none_without_a_parent),
        cmocka_unit_test(an_input_of_the_engine_with_new_behaviour_is_a_parent),
        cmocka_unit_test(a_child_is_handed_over_once_and_only_for_new_behaviour),
        cmocka_unit_test(counts_of_one_magnitude_are_not_new),
        cmocka_unit_test(a_child_too_long_for_the_engine_is_dropped),
        cmocka_unit_test(a_slow_subject_has_fewer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
