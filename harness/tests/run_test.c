/* SPDX-License-Identifier: MIT */
/* What a run asserts of a call's result, on a subject that errs in one way at a time; and what it
 * must not assert: the lawful choices. */
#include "harness/tests/fake_subject.h"

static void correct_subject_is_clean(void **state)
{
    (void)state;
    assert_clean("#0 = malloc 100\n#1 = calloc 3 7\n#2 = aligned_alloc 256 512\n#3 = "
                 "posix_memalign 4096 1\n#4 = memalign 64 0\n"
                 "#0 = realloc #0 1000\n#1 = realloc #1 1\nmalloc_usable_size #2\nfree #2\n#5 = "
                 "realloc NULL 0\nfree NULL\nsweep\nfree #0\n");
}

/* ---- alignment ---- */

static void small_block_may_be_aligned_for_its_size_only(void **state)
{
    (void)state;
    fake.alignment = 8;
    assert_clean("#0 = malloc 8\n#1 = malloc 8\n#2 = malloc 15\n#3 = malloc 1\n#4 = malloc 0\n");
    assert_caught("#0 = malloc 8\n#1 = malloc 16\n#2 = malloc 16\n", CHECK_ALIGNMENT, 1);
}

static void strict_reading_wants_fundamental_alignment_of_every_block(void **state)
{
    (void)state;
    fake.alignment = 8;
    test.options.strict_alignment = 1;
    assert_caught("#0 = malloc 8\n#1 = malloc 8\n", CHECK_ALIGNMENT, 1);
}

static void aligned_calls_promise_what_was_asked_for(void **state)
{
    (void)state;
    test.subject.calls.malloc_usable_size = NULL;
    fake.next = fake.arena + 4096 + 32;
    assert_caught("#0 = memalign 64 8\n", CHECK_ALIGNMENT, 0);
    fake.next = fake.arena + 4096 + 32;
    assert_clean("#0 = memalign 32 8\n");
}

/* ---- errno ---- */

static void failure_must_set_enomem(void **state)
{
    (void)state;
    assert_clean("#0 = malloc SIZE_MAX\n#1 = calloc 2^33 2^31\n");
    fake.error = FAKE_UNTOUCHED;
    assert_caught("#0 = malloc SIZE_MAX\n", CHECK_ERRNO, 0);
    fake.error = EINVAL;
    assert_caught("#0 = malloc SIZE_MAX\n", CHECK_ERRNO, 0);
}

static void nothing_may_set_errno_to_zero(void **state)
{
    (void)state;
    fake.clobber = 1;
    assert_caught("#0 = malloc 10\n", CHECK_ERRNO, 0);
    fake.clobber = 0;
    fake.free_error = FAKE_UNTOUCHED;
    assert_caught("#0 = malloc 10\nfree #0\n", CHECK_ERRNO, 1);
}

static void free_must_leave_errno_alone(void **state)
{
    (void)state;
    fake.free_error = EINVAL;
    assert_caught("#0 = malloc 10\nfree #0\n", CHECK_ERRNO, 1);
    assert_string_equal(test.verdict.site, "free");
}

static void invalid_alignment_may_be_refused_with_einval(void **state)
{
    (void)state;
    assert_clean("#0 = aligned_alloc 24 48\n#1 = posix_memalign 4 8\n#2 = posix_memalign 24 48\n");
}

static void posix_memalign_must_refuse_an_invalid_alignment(void **state)
{
    (void)state;
    fake.any_alignment = true;
    assert_clean("#0 = aligned_alloc 24 48\n");
    assert_caught("#0 = posix_memalign 4 8\n", CHECK_ERRNO, 0);
}

static void posix_memalign_must_return_the_right_error(void **state)
{
    (void)state;
    fake.memalign_result = ENOMEM;
    assert_caught("#0 = posix_memalign 24 48\n", CHECK_ERRNO, 0);
    fake.memalign_result = -1;
    assert_caught("#0 = posix_memalign 64 SIZE_MAX\n", CHECK_ERRNO, 0);
    fake.memalign_result = EINVAL;
    assert_caught("#0 = posix_memalign 64 64\n", CHECK_ERRNO, 0);
}

/* ---- null ---- */

static void posix_memalign_must_set_its_out_parameter_on_success(void **state)
{
    (void)state;
    fake.memalign_forgets = true;
    assert_caught("#0 = posix_memalign 64 64\n", CHECK_NULL, 0);
}

static void posix_memalign_must_leave_its_out_parameter_alone_on_failure(void **state)
{
    (void)state;
    fake.memalign_result = ENOMEM;
    assert_clean("#0 = posix_memalign 64 SIZE_MAX\n");
    fake.memalign_writes = fake.arena;
    assert_caught("#0 = posix_memalign 64 SIZE_MAX\n", CHECK_NULL, 0);
}

static void modest_request_must_succeed(void **state)
{
    (void)state;
    fake.fail_above = 1000;
    assert_clean("#0 = malloc 1000\n");
    assert_caught("#0 = malloc 1001\n", CHECK_NULL, 0);
    assert_clean("#0 = malloc 1G\n");
}

static void subject_of_limited_capacity_may_refuse_more_than_a_part_of_it(void **state)
{
    (void)state;
    fake.fail_above = 1000;
    test.options.capacity = 8000;
    assert_clean("#0 = malloc 1001\n");
    test.options.capacity = 9000;
    assert_caught("#0 = malloc 1001\n", CHECK_NULL, 0);
    assert_clean("#0 = malloc 1000\n#1 = malloc 1001\n");
}

static void live_blocks_that_cut_a_limited_capacity_up_excuse_a_refusal(void **state)
{
    (void)state;
    fake.fail_above = 1000;
    test.options.capacity = 40000; /* of 5000, three blocks leave gaps of 1250 on average */
    assert_clean("#0 = malloc 1\n#1 = malloc 1\n#2 = malloc 1\n#3 = malloc 1300\n");
    assert_caught("#0 = malloc 1\n#1 = malloc 1\n#2 = malloc 1\n#3 = malloc 1200\n", CHECK_NULL, 3);
}

static void block_that_shrank_in_its_place_still_takes_what_it_took(void **state)
{
    (void)state;
    fake.fail_above = 1000;
    test.options.capacity = 20000; /* of 2500, one block of 900 leaves gaps of 800 on average */
    assert_caught("#0 = malloc 900\n#0 = realloc #0 10\n#1 = malloc 1001\n", CHECK_NULL, 2);
    fake.shrinks_in_place = true;
    assert_clean("#0 = malloc 900\n#0 = realloc #0 10\n#1 = malloc 1001\n");
}

static void nothing(unsigned nth)
{
    (void)nth;
}

static void null_after_an_injected_failure_is_no_surprise(void **state)
{
    (void)state;
    fake.fail_above = 1000;
    assert_caught("fail-os 1\n#0 = malloc 1001\n", CHECK_NULL, 1);
    test.subject.fail_os = nothing;
    assert_clean("fail-os 1\n#0 = malloc 1001\n");
}

/* ---- recovery ---- */

static void what_fails_after_all_was_freed_has_not_recovered(void **state)
{
    (void)state;
    fake.fail_above = 1000;
    test.subject.fail_os = nothing;
    test.options.recovery = 1;
    assert_clean("fail-os 1\n#0 = malloc 1000\n");
    assert_caught("fail-os 1\n#0 = malloc 1001\n", CHECK_RECOVERY, 1);
}

/* ---- threads ---- */

static void calls_of_a_thread_run_in_it_and_keep_their_errno(void **state)
{
    (void)state;
    assert_clean("thread 1\n#0 = malloc 100\nthread 2\n#0 = realloc #0 200\n#1 = malloc "
                 "SIZE_MAX\nthread-exit 1\nthread-exit 2\nfree #0\n");
    fake.error = FAKE_UNTOUCHED;
    assert_caught("thread 3\n#0 = malloc SIZE_MAX\n", CHECK_ERRNO, 1);
}

static void child_of_a_fork_leaves_its_verdict(void **state)
{
    (void)state;
    assert_clean("#0 = malloc 100\nfork\nthread 1\nfork\n");
    fake.free_error = EINVAL;
    assert_caught("#0 = malloc 100\nfork\n", CHECK_ERRNO, 1);
    assert_string_equal(test.verdict.site, "fork");
}

/* ---- impossible ---- */

static void what_cannot_fit_must_fail(void **state)
{
    (void)state;
    fake.next = fake.arena + 64;
    fake.fail_above = SIZE_MAX;
    assert_caught("#0 = malloc PTRDIFF_MAX+1\n", CHECK_IMPOSSIBLE, 0);
    fake.next = fake.arena + 64;
    assert_caught("#0 = malloc 2^47\n", CHECK_IMPOSSIBLE, 0);
}

static void *wrapping_calloc(size_t count, size_t size)
{
    return fake_malloc(count * size);
}

static void product_must_not_wrap(void **state)
{
    (void)state;
    test.subject.calls.calloc = wrapping_calloc;
    assert_caught("#0 = malloc 1\n#1 = calloc 2^33 2^31\n", CHECK_IMPOSSIBLE, 1);
}

/* ---- policy ---- */

static void zero_sizes_are_the_subjects_choice(void **state)
{
    (void)state;
    static const char zeros[] = "#0 = malloc 0\n#1 = calloc 0 5\n#2 = realloc NULL 0\n#3 = "
                                "memalign 64 0\n#4 = posix_memalign 64 0\n"
                                "#5 = malloc 9\n#5 = realloc #5 0\n#6 = malloc 0\n#7 = malloc "
                                "9\n#7 = realloc #7 0\n#7 = realloc #7 5\n";
    assert_clean(zeros);
    assert_int_equal(run_policy(test.run)->choice[POLICY_REALLOC_ZERO], POLICY_BLOCK);
    set_up(NULL);
    fake.zeros_are_null = 1;
    assert_clean(zeros);
    assert_int_equal(run_policy(test.run)->choice[POLICY_REALLOC_ZERO], POLICY_NULL);
}

static void choice_once_made_is_held(void **state)
{
    (void)state;
    fake.zeros_are_null = 2;
    assert_caught("#0 = malloc 0\n#1 = malloc 0\n", CHECK_POLICY, 1);
}

static void choice_is_held_from_run_to_run(void **state)
{
    (void)state;
    assert_clean("#0 = malloc 0\n");
    fake.zeros_are_null = 1;
    assert_caught("#0 = malloc 0\n", CHECK_POLICY, 0);
}

static void *refuse_small_alignments(size_t alignment, size_t size)
{
    if (alignment > sizeof(void *))
        return fake_malloc(size);
    errno = EINVAL;
    return NULL;
}

static int refuse_to_store_small_alignments(void **ret_block, size_t alignment, size_t size)
{
    void *block = refuse_small_alignments(alignment, size);
    if (block == NULL)
        return EINVAL;
    *ret_block = block;
    return 0;
}

static void *die_of_no_power_of_two(size_t alignment, size_t size)
{
    assert_true(alignment != 0 && (alignment & (alignment - 1)) == 0);
    return fake_memalign(alignment, size);
}

static void memalign_is_not_called_with_an_alignment_that_its_manual_rules_out(void **state)
{
    (void)state;
    test.subject.calls.memalign = die_of_no_power_of_two;
    assert_clean("#0 = memalign 0 9\n#1 = memalign 24 48\n#2 = memalign 2 9\n");
}

static void a_refused_alignment_is_no_choice_about_sizes(void **state)
{
    (void)state;
    test.subject.calls.aligned_alloc = refuse_small_alignments;
    test.subject.calls.posix_memalign = refuse_to_store_small_alignments;
    assert_clean("#0 = aligned_alloc 16 0\n#1 = aligned_alloc 16 20\n#2 = posix_memalign 16 0\n"
                 "#3 = aligned_alloc 4 0\n#4 = aligned_alloc 8 9\n#5 = posix_memalign 8 0\n");
    assert_caught("#0 = aligned_alloc 4 8\n", CHECK_NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(correct_subject_is_clean, set_up),
        cmocka_unit_test_setup(small_block_may_be_aligned_for_its_size_only, set_up),
        cmocka_unit_test_setup(strict_reading_wants_fundamental_alignment_of_every_block, set_up),
        cmocka_unit_test_setup(aligned_calls_promise_what_was_asked_for, set_up),
        cmocka_unit_test_setup(failure_must_set_enomem, set_up),
        cmocka_unit_test_setup(nothing_may_set_errno_to_zero, set_up),
        cmocka_unit_test_setup(free_must_leave_errno_alone, set_up),
        cmocka_unit_test_setup(invalid_alignment_may_be_refused_with_einval, set_up),
        cmocka_unit_test_setup(posix_memalign_must_refuse_an_invalid_alignment, set_up),
        cmocka_unit_test_setup(posix_memalign_must_return_the_right_error, set_up),
        cmocka_unit_test_setup(posix_memalign_must_set_its_out_parameter_on_success, set_up),
        cmocka_unit_test_setup(posix_memalign_must_leave_its_out_parameter_alone_on_failure,
                               set_up),
        cmocka_unit_test_setup(modest_request_must_succeed, set_up),
        cmocka_unit_test_setup(subject_of_limited_capacity_may_refuse_more_than_a_part_of_it,
                               set_up),
        cmocka_unit_test_setup(live_blocks_that_cut_a_limited_capacity_up_excuse_a_refusal, set_up),
        cmocka_unit_test_setup(block_that_shrank_in_its_place_still_takes_what_it_took, set_up),
        cmocka_unit_test_setup(null_after_an_injected_failure_is_no_surprise, set_up),
        cmocka_unit_test_setup(what_fails_after_all_was_freed_has_not_recovered, set_up),
        cmocka_unit_test_setup(calls_of_a_thread_run_in_it_and_keep_their_errno, set_up),
        cmocka_unit_test_setup(child_of_a_fork_leaves_its_verdict, set_up),
        cmocka_unit_test_setup(what_cannot_fit_must_fail, set_up),
        cmocka_unit_test_setup(product_must_not_wrap, set_up),
        cmocka_unit_test_setup(zero_sizes_are_the_subjects_choice, set_up),
        cmocka_unit_test_setup(choice_once_made_is_held, set_up),
        cmocka_unit_test_setup(choice_is_held_from_run_to_run, set_up),
        cmocka_unit_test_setup(memalign_is_not_called_with_an_alignment_that_its_manual_rules_out,
                               set_up),
        cmocka_unit_test_setup(a_refused_alignment_is_no_choice_about_sizes, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
