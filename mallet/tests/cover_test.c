/* SPDX-License-Identifier: MIT */
/* The set cover: nothing is lost, nothing is chosen in vain, and who wins a tie. */
#include "mallet/cover.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { TRACES = 4, FEATURES = 64 };

static uint32_t sets[TRACES][8];
static struct cover_trace traces[TRACES];
static size_t chosen[TRACES], chosen_count;

/* Each word: the features of a trace, a letter each. */
static void given(const char *const words[TRACES])
{
    for (size_t i = 0; i < TRACES; i++) {
        traces[i] = (struct cover_trace){.features = sets[i], .ops = 10};
        for (const char *letter = words[i]; *letter != '\0'; letter++)
            sets[i][traces[i].feature_count++] = (uint32_t)(*letter - 'a');
    }
}

static void choose(void)
{
    assert_int_equal(cover_choose(traces, TRACES, FEATURES, chosen, &chosen_count), 0);
}

static void hits_fall_into_the_classes_of_engines(void **state)
{
    const uint8_t counters[] = {0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 127, 128, 255};
    const uint32_t classes[] = {0, 1, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7};
    uint32_t features[sizeof counters];
    (void)state;
    assert_int_equal(cover_features(counters, sizeof counters, features), sizeof counters - 1);
    for (size_t i = 0; i < sizeof counters - 1; i++)
        assert_int_equal(features[i], (i + 1) * COVER_CLASSES + classes[i]);
}

static void what_adds_most_comes_first(void **state)
{
    (void)state;
    given((const char *const[]){"ab", "abcd", "de", "cd"});
    choose();
    assert_int_equal(chosen_count, 2);
    assert_int_equal(chosen[0], 1);
    assert_int_equal(chosen[1], 2);
    assert_int_equal(traces[1].gain, 4);
    assert_int_equal(traces[2].gain, 1);
}

static void every_feature_is_covered(void **state)
{
    bool is_covered[FEATURES] = {false};
    (void)state;
    given((const char *const[]){"abc", "cde", "efa", "bdf"});
    choose();
    for (size_t i = 0; i < chosen_count; i++)
        for (size_t j = 0; j < traces[chosen[i]].feature_count; j++)
            is_covered[traces[chosen[i]].features[j]] = true;
    for (size_t i = 0; i < 6; i++)
        assert_true(is_covered[i]);
}

static void of_equals_the_named_wins_and_then_the_shorter(void **state)
{
    (void)state;
    given((const char *const[]){"ab", "ab", "ab", "cd"});
    traces[1].ops = 3;
    traces[2].is_named = true;
    choose();
    assert_int_equal(chosen_count, 2);
    assert_int_equal(chosen[0], 2);
    traces[2].is_named = false;
    choose();
    assert_int_equal(chosen[0], 1);
}

static void what_shows_nothing_is_not_chosen(void **state)
{
    (void)state;
    given((const char *const[]){"", "", "", ""});
    choose();
    assert_int_equal(chosen_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hits_fall_into_the_classes_of_engines),
        cmocka_unit_test(what_adds_most_comes_first),
        cmocka_unit_test(every_feature_is_covered),
        cmocka_unit_test(of_equals_the_named_wins_and_then_the_shorter),
        cmocka_unit_test(what_shows_nothing_is_not_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
