/* SPDX-License-Identifier: MIT */
/* The delta debugger and the count of k of n, on lists and trials that are no traces. */
#include "harness/finding/finding.h"
#include "harness/finding/shrink_list.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A text that fails as long as it has all the wanted letters, in order. */
struct text {
    char letters[64];
    const char *wanted;
    unsigned tries, tries_max;
};

static size_t letters_left(void *context)
{
    return strlen(((struct text *)context)->letters);
}

static bool is_spent(void *context)
{
    const struct text *text = context;
    return text->tries == text->tries_max;
}

static bool remove_letters(void *context, size_t start, size_t end)
{
    struct text *text = context, shorter = *text;
    memmove(shorter.letters + start, shorter.letters + end, strlen(text->letters + end) + 1);
    text->tries++;
    const char *at = shorter.letters;
    for (const char *letter = text->wanted; *letter != '\0'; letter++) {
        at = strchr(at, *letter);
        if (at == NULL)
            return false;
        at++;
    }
    memcpy(text->letters, shorter.letters, sizeof text->letters);
    return true;
}

static bool shrink(struct text *text)
{
    const struct shrink_list list = {letters_left, remove_letters, is_spent, text};
    return shrink_list(&list);
}

static void only_what_is_needed_is_left(void **state)
{
    struct text text = {"abcdefghijklmnopqrstuvwxyz", "bqz", 0, 1000};
    (void)state;
    assert_true(shrink(&text));
    assert_string_equal(text.letters, "bqz");
    assert_false(shrink(&text));
}

static void a_list_may_become_empty(void **state)
{
    struct text single = {"a", "", 0, 1000}, several = {"abc", "", 0, 1000};
    (void)state;
    assert_true(shrink(&single));
    assert_string_equal(single.letters, "");
    assert_true(shrink(&several));
    assert_string_equal(several.letters, "");
    assert_false(shrink(&several));
}

static void nothing_is_tried_beyond_the_budget(void **state)
{
    struct text text = {"abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyz", 0, 7};
    (void)state;
    assert_false(shrink(&text));
    assert_int_equal(text.tries, 7);
}

/* Shows every third time, and fails at the trial `failing`. */
struct trials {
    unsigned count, failing;
};

static int try_once(void *context, bool *ret_shows)
{
    struct trials *trials = context;
    trials->count++;
    *ret_shows = trials->count % 3 == 0;
    return trials->count == trials->failing ? EIO : 0;
}

static void trials_that_show_are_counted(void **state)
{
    struct trials trials = {0};
    unsigned shown = 99;
    (void)state;
    assert_int_equal(finding_count(try_once, &trials, 10, &shown), 0);
    assert_int_equal(shown, 3);
    assert_int_equal(trials.count, 10);
}

static void a_trial_that_cannot_be_made_ends_the_count(void **state)
{
    struct trials trials = {.failing = 4};
    unsigned shown = 99;
    (void)state;
    assert_int_equal(finding_count(try_once, &trials, 10, &shown), EIO);
    assert_int_equal(shown, 99);
    assert_int_equal(trials.count, 4);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_needed_is_left),
        cmocka_unit_test(a_list_may_become_empty),
        cmocka_unit_test(nothing_is_tried_beyond_the_budget),
        cmocka_unit_test(trials_that_show_are_counted),
        cmocka_unit_test(a_trial_that_cannot_be_made_ends_the_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
