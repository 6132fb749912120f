/* SPDX-License-Identifier: MIT */
/* What counts as a kill. */
#include "mallet/mutant_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool expects(const char *id, const char *check)
{
    const struct mutant *mutant = mutant_find(id);
    assert_non_null(mutant);
    return mutant_expects(mutant, check);
}

static void only_the_check_of_the_registry_is_a_kill(void **state)
{
    (void)state;
    assert_true(expects("calloc_wrap", "impossible"));
    assert_false(expects("calloc_wrap", "overlap"));
    assert_true(expects("cache_without_lock", "content"));
    assert_false(expects("cache_without_lock", "errno"));
    assert_true(expects("calloc_of_two_at_most", "POSIX17-calloc-1"));
    assert_false(expects("calloc_of_two_at_most", "POSIX17-calloc-2"));
    assert_false(expects("crash_at_load", "crash"));
}

static void what_no_command_is_meant_to_find_is_left_out(void **state)
{
    (void)state;
    assert_true(mutant_is_beyond(mutant_find("orphan"), false));
    assert_false(mutant_is_beyond(mutant_find("crash_at_load"), false));
    assert_false(mutant_is_beyond(mutant_find("aba"), false));
    assert_true(mutant_is_beyond(mutant_find("aba"), true));
    assert_true(mutant_is_beyond(mutant_find("spin"), true));
    assert_false(mutant_is_beyond(mutant_find("calloc_wrap"), true));
    assert_true(
        mutant_is_beyond(mutant_find("realloc_always_moves"), true)); /* a manual's clause */
    assert_false(mutant_is_beyond(mutant_find("realloc_always_moves"), false));
    /* a recommendation */
    assert_true(mutant_is_beyond(mutant_find("usable_size_counts_the_header"), false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_check_of_the_registry_is_a_kill),
        cmocka_unit_test(what_no_command_is_meant_to_find_is_left_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
