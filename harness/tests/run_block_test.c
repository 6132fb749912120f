/* SPDX-License-Identifier: MIT */
/* What a run asserts of live blocks over time, on a subject that errs in one way at a time:
 * content, overlap, sizes, cycles; muting, outcomes. */
#include "harness/base/trend.h"
#include "harness/tests/fake_subject.h"

/* ---- content ---- */

/* Damages byte 57 of the first block when the second is asked for. */
static void *damaging_malloc(size_t size)
{
    if (fake.calls == 1)
        fake.damage = fake.arena + 16 + 57;
    return fake_malloc(size);
}

static void damage_is_found_in_a_sweep_at_free_and_at_the_end(void **state)
{
    (void)state;
    test.subject.calls.malloc = damaging_malloc;
    assert_caught("#0 = malloc 100\n#1 = malloc 100\n#2 = malloc 100\n", CHECK_CONTENT,
                  VERDICT_NO_OP);
    set_up(NULL);
    test.subject.calls.malloc = damaging_malloc;
    assert_caught("#0 = malloc 100\n#1 = malloc 100\n#2 = malloc 100\nfree #0\n", CHECK_CONTENT, 3);
    set_up(NULL);
    test.subject.calls.malloc = damaging_malloc;
    test.options.sweep_every = 1;
    assert_caught("#0 = malloc 100\n#1 = malloc 100\n#2 = malloc 100\n", CHECK_CONTENT, 1);
    assert_non_null(strstr(test.verdict.sentence, "byte 57"));
}

static void realloc_must_keep_the_smaller_of_both_sizes(void **state)
{
    (void)state;
    assert_clean("#0 = malloc 100\n#0 = realloc #0 50\n#0 = realloc #0 200\n");
    fake.copies_nothing = true;
    assert_caught("#0 = malloc 100\n#0 = realloc #0 200\n", CHECK_CONTENT, 1);
    assert_string_equal(test.verdict.site, "realloc");
}

static void failed_realloc_must_keep_the_old_block(void **state)
{
    (void)state;
    assert_clean("#0 = malloc 100\n#0 = realloc #0 SIZE_MAX\nfree #0\n");
    fake.frees_on_failure = true;
    assert_caught("#0 = malloc 100\n#0 = realloc #0 SIZE_MAX\n", CHECK_KEPT, 1);
}

static void calloc_must_clear(void **state)
{
    (void)state;
    fake.is_dirty = true;
    assert_caught("#0 = calloc 1 0\n#1 = calloc 3 5\n", CHECK_ZEROED, 1);
}

/* ---- where blocks lie, and how large they are ---- */

static void realloc_may_return_the_same_block(void **state)
{
    (void)state;
    fake.shrinks_in_place = true;
    assert_clean("#0 = malloc 100\n#1 = malloc 100\n#0 = realloc #0 50\n#0 = realloc #0 40\n");
    assert_int_equal(fake.calls, 2);
}

static void *always_the_same(size_t size)
{
    (void)size;
    return fake.arena + 4096;
}

static void overlap_with_a_live_block_is_found(void **state)
{
    (void)state;
    test.subject.calls.malloc = always_the_same;
    test.subject.calls.malloc_usable_size = NULL;
    assert_clean("#0 = malloc 100\nfree #0\n#0 = malloc 100\n");
    assert_caught("#0 = malloc 100\n#1 = malloc 100\n", CHECK_OVERLAP, 1);
}

static void *own_memory(size_t size)
{
    (void)size;
    static _Alignas(16) uint8_t memory[256];
    return memory;
}

static void block_must_not_lie_in_the_programs_memory(void **state)
{
    (void)state;
    test.subject.calls.malloc = own_memory;
    test.subject.calls.malloc_usable_size = NULL;
    assert_caught("#0 = malloc 100\n", CHECK_OVERLAP, 0);
}

static void usable_size_must_hold_the_request_and_stay(void **state)
{
    (void)state;
    fake.usable_less = 1;
    assert_caught("#0 = malloc 100\n", CHECK_USABLE, 0);
    fake.usable_less = 0;
    fake.usable_wanders = true;
    assert_caught("#0 = malloc 100\nmalloc_usable_size #0\n", CHECK_USABLE, 1);
}

/* ---- cycles ---- */

static void steady_growth_is_a_footprint(void **state)
{
    (void)state;
    test.subject.footprint = fake_footprint;
    test.options.rounds = 16;
    fake.grows_by = 4096;
    fake.grows_until = SIZE_MAX;
    assert_caught("#0 = malloc 100\n", CHECK_FOOTPRINT, VERDICT_NO_OP);
    assert_string_equal(test.verdict.site, "cycle");
}

static void growth_that_comes_to_an_end_is_a_cache(void **state)
{
    (void)state;
    test.subject.footprint = fake_footprint;
    test.options.rounds = 16;
    fake.grows_by = 65536;
    fake.grows_until = 65536UL * 100;
    assert_clean("#0 = malloc 100\n");
    assert_int_equal(fake.footprint, fake.grows_until);
}

/* As if the subject deferred its last 4096 frees. */
static void growth_by_deferred_frees_comes_to_an_end(void **state)
{
    (void)state;
    test.subject.footprint = fake_footprint;
    test.options.rounds = 16;
    fake.grows_by = 2000;
    fake.grows_until = 2000UL * 4096;
    assert_clean("#0 = malloc 100\n");
    assert_int_equal(fake.footprint, fake.grows_until);
}

/* Whoever confirms it with more cycles asks for a suspicion. */
static void even_growth_in_few_cycles_is_a_suspicion(void **state)
{
    (void)state;
    test.subject.footprint = fake_footprint;
    test.options.rounds = 1000;
    test.options.growth = GROWTH_SUSPECTED;
    fake.grows_by = 8192;
    fake.grows_until = 8192UL * 1000;
    assert_caught("#0 = malloc 100\n", CHECK_FOOTPRINT, VERDICT_NO_OP);
    assert_in_range(fake.calls, 2, 4000);
}

static void *the_same_with_a_loss(size_t size)
{
    fake.footprint += 16;
    return always_the_same(size);
}

/* What all cycles free is past every quarantine only after 2^19 of them. */
static void growth_may_be_left_for_later(void **state)
{
    (void)state;
    test.subject.footprint = fake_footprint;
    test.subject.calls.malloc = the_same_with_a_loss;
    test.subject.calls.malloc_usable_size = NULL;
    test.options.rounds = 16;
    test.options.growth = GROWTH_LEFT;
    assert_clean("#0 = malloc 100\nfree #0\n");
    assert_true(run_has_open_growth(test.run));
    test.options.growth = GROWTH_FOLLOWED;
    assert_caught("#0 = malloc 100\nfree #0\n", CHECK_FOOTPRINT, VERDICT_NO_OP);
    assert_false(run_has_open_growth(test.run));
}

static void steady_subject_is_not_cycled_to_the_last_round(void **state)
{
    (void)state;
    test.subject.footprint = fake_footprint;
    test.options.rounds = 16;
    assert_clean("#0 = malloc 100\n");
    assert_in_range(fake.calls, TREND_LEAST_FREES, 2 * TREND_LEAST_FREES); /* a free in each */
}

/* ---- the run itself ---- */

static void muted_check_does_not_stop_the_run(void **state)
{
    (void)state;
    fake.free_error = EINVAL;
    test.options.muted = 1u << CHECK_ERRNO;
    fake.usable_wanders = true;
    assert_caught("#0 = malloc 100\nfree #0\n", CHECK_USABLE, 1);
    assert_false(run_was_cut_short(test.run));
}

static void muted_class_stops_no_run_but_at_its_own_function(void **state)
{
    (void)state;
    fake.free_error = EINVAL;
    test.options.muted_class_count = 1;
    test.options.muted_classes[0] = (struct verdict_class){CHECK_ERRNO, "malloc"};
    assert_caught("#0 = malloc 100\nfree #0\n", CHECK_ERRNO, 1);
    test.options.muted_classes[0] = (struct verdict_class){CHECK_ERRNO, "free"};
    assert_clean("#0 = malloc 100\nfree #0\n");
    assert_int_equal(run_muted_failures(test.run), 1);
}

static void muted_overlap_cuts_the_run_short(void **state)
{
    (void)state;
    test.subject.calls.malloc = always_the_same;
    test.subject.calls.malloc_usable_size = NULL;
    test.options.muted = 1u << CHECK_OVERLAP;
    assert_clean("#0 = malloc 100\n#1 = malloc 100\n#2 = malloc 100\n");
    assert_true(run_was_cut_short(test.run));
    assert_int_equal(test.outcomes[2].ran, 0);
}

static void what_the_trace_leaves_live_is_freed(void **state)
{
    (void)state;
    assert_clean("#0 = malloc 100\n#1 = malloc 100\n#2 = malloc 100\nfree #1\n");
    assert_int_equal(fake.frees, 3);
}

static void outcomes_say_what_each_call_returned(void **state)
{
    (void)state;
    test.subject.calls.calloc = NULL;
    assert_clean(
        "#0 = malloc 100\n#1 = calloc 1 1\n#2 = malloc SIZE_MAX\n#3 = posix_memalign 3 1\n");
    assert_int_equal(test.outcomes[0].ran, 1);
    assert_int_equal(test.outcomes[0].returned_null, 0);
    assert_int_equal(test.outcomes[1].ran, 0);
    assert_int_equal(test.outcomes[2].returned_null, 1);
    assert_int_equal(test.outcomes[2].error, ENOMEM);
    assert_int_equal(test.outcomes[3].error, EINVAL);
}

static int failing_walker(char *sentence, size_t capacity)
{
    strncpy(sentence, "bin 3 is lost", capacity);
    return fake.calls >= 2;
}

static void walker_is_asked_at_its_cadence(void **state)
{
    (void)state;
    test.subject.check = failing_walker;
    assert_caught("#0 = malloc 1\n#1 = malloc 1\n#2 = malloc 1\n", CHECK_HEAP, VERDICT_NO_OP);
    fake.calls = 0;
    test.options.heap_check_every = 1;
    assert_caught("#0 = malloc 1\n#1 = malloc 1\n#2 = malloc 1\n", CHECK_HEAP, 1);
    assert_non_null(strstr(test.verdict.sentence, "bin 3 is lost"));
}

static void behaviour_is_that_of_the_first_cycle(void **state)
{
    (void)state;
    const char *text = "#0 = malloc 100\nfree #0\n";
    uint8_t once[RUN_COUNTERS];
    assert_clean(text);
    memcpy(once, test.features, sizeof once);
    test.options.rounds = 16;
    assert_clean(text);
    assert_memory_equal(test.features, once, sizeof once);
}

static void a_sized_free_is_named_free_where_there_is_none(void **state)
{
    (void)state;
    assert_string_equal(run_op_name(1u << SUBJECT_free_sized, OP_FREE_SIZED), "free_sized");
    assert_string_equal(run_op_name(1u << SUBJECT_free, OP_FREE_ALIGNED_SIZED), "free");
    assert_string_equal(run_op_name(1u << SUBJECT_realloc, OP_REALLOC), "realloc");
    assert_string_equal(run_op_name(1u << SUBJECT_free, OP_REALLOC), "sweep"); /* it has none */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(damage_is_found_in_a_sweep_at_free_and_at_the_end, set_up),
        cmocka_unit_test_setup(realloc_must_keep_the_smaller_of_both_sizes, set_up),
        cmocka_unit_test_setup(failed_realloc_must_keep_the_old_block, set_up),
        cmocka_unit_test_setup(calloc_must_clear, set_up),
        cmocka_unit_test_setup(realloc_may_return_the_same_block, set_up),
        cmocka_unit_test_setup(overlap_with_a_live_block_is_found, set_up),
        cmocka_unit_test_setup(block_must_not_lie_in_the_programs_memory, set_up),
        cmocka_unit_test_setup(usable_size_must_hold_the_request_and_stay, set_up),
        cmocka_unit_test_setup(steady_growth_is_a_footprint, set_up),
        cmocka_unit_test_setup(growth_by_deferred_frees_comes_to_an_end, set_up),
        cmocka_unit_test_setup(even_growth_in_few_cycles_is_a_suspicion, set_up),
        cmocka_unit_test_setup(growth_that_comes_to_an_end_is_a_cache, set_up),
        cmocka_unit_test_setup(growth_may_be_left_for_later, set_up),
        cmocka_unit_test_setup(steady_subject_is_not_cycled_to_the_last_round, set_up),
        cmocka_unit_test_setup(muted_check_does_not_stop_the_run, set_up),
        cmocka_unit_test_setup(muted_class_stops_no_run_but_at_its_own_function, set_up),
        cmocka_unit_test_setup(muted_overlap_cuts_the_run_short, set_up),
        cmocka_unit_test_setup(what_the_trace_leaves_live_is_freed, set_up),
        cmocka_unit_test_setup(outcomes_say_what_each_call_returned, set_up),
        cmocka_unit_test_setup(walker_is_asked_at_its_cadence, set_up),
        cmocka_unit_test_setup(behaviour_is_that_of_the_first_cycle, set_up),
        cmocka_unit_test(a_sized_free_is_named_free_where_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
