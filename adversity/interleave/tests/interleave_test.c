/* SPDX-License-Identifier: MIT */
/*
 * The scheduler can fail a subject: each mutant is found by its check, exhaustively and by
 * random priorities, within a stated number of schedules, and again each time its schedule is
 * replayed. The same allocator without a bug, and anvil, are exhausted clean: each scenario with
 * one of the sizes, or with all.
 *
 * usage: interleave_test [all]
 */
#include "adversity/interleave/explore.h"
#include "adversity/interleave/subjects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
    EXHAUSTIVE_MAX = 1000,
    PCT_MAX = 1000,
    CHANGE_POINTS = 3,
    BOUND = 3,
    CLEAN_BOUND = 2,
    CLEAN_SCHEDULES_MAX = 20000
};
static const size_t sizes[] = {48, 200, 1100};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static struct explorer explorer;
static bool is_every_size;

static void choose(const struct interleave_subject *subject, const struct scenario *scenario,
                   size_t size)
{
    explorer.subject = subject;
    explorer.scenario = scenario;
    explorer.size = size;
    explorer_forget_places(&explorer);
}

/* Of the size for which it is found; which one that is depends on the part that the bug is in. */
static struct exploration find(const struct interleave_subject *subject, bool is_pct,
                               uint64_t schedules_max)
{
    struct exploration exploration = {0};
    struct mutant_catch catch;
    assert_non_null(subject_mutant(subject, &catch));
    for (unsigned i = 0; i < SIZES && !exploration.is_found; i++) {
        exploration = (struct exploration){0};
        choose(subject, scenario_find(catch.where), sizes[i]);
        if (is_pct)
            explore_by_priorities(&explorer, CHANGE_POINTS, schedules_max, 1, &exploration);
        else
            explore_exhaustively(&explorer, BOUND, schedules_max, &exploration);
    }
    return exploration;
}

static void assert_found_and_replayed(const struct interleave_subject *subject, const char *how,
                                      struct exploration *exploration)
{
    struct mutant_catch catch;
    assert_non_null(subject_mutant(subject, &catch));
    if (!exploration->is_found)
        fail_msg("%s is not found", subject->name);
    assert_string_equal(check_name((enum check)exploration->verdict.check), catch.names);
    exploration_confirm(&explorer, exploration);
    assert_int_equal(exploration->reproduced, exploration->attempts);
    print_message("%s: %s, schedule %llu, %u pre-emptions: %s\n", subject->name, how,
                  (unsigned long long)exploration->schedules, exploration->preemptions,
                  exploration->verdict.sentence);
}

/* ---- tests ---- */

static void mutant_is_found_exhaustively(void **state)
{
    struct exploration exploration = find(*state, false, EXHAUSTIVE_MAX);
    assert_found_and_replayed(*state, "exhaustive", &exploration);
}

static void mutant_is_found_by_priorities(void **state)
{
    struct exploration exploration = find(*state, true, PCT_MAX);
    assert_found_and_replayed(*state, "pct", &exploration);
}

static void assert_clean(const char *name, unsigned bound, unsigned three_threads_bound)
{
    for (size_t i = 0; i < scenario_count; i++)
        for (unsigned j = 0; j < SIZES; j++) {
            struct exploration exploration = {0};
            if (!is_every_size && j != i % SIZES)
                continue;
            choose(subject_find(name), &scenarios[i], sizes[j]);
            explore_exhaustively(&explorer,
                                 scenarios[i].bodies[2] == NULL ? bound : three_threads_bound,
                                 CLEAN_SCHEDULES_MAX, &exploration);
            if (!exploration.is_exhausted)
                fail_msg("%s, %s, %zu bytes: %s", name, scenarios[i].name, sizes[j],
                         exploration.verdict.sentence);
        }
}

static void correct_subject_is_exhausted_clean(void **state)
{
    (void)state;
    assert_clean("threaded", CLEAN_BOUND, 1);
}

static void anvil_is_exhausted_clean(void **state)
{
    (void)state;
    assert_clean("anvil", 1, 0);
}

static void replay_takes_the_same_steps(void **state)
{
    (void)state;
    static struct record first;
    const struct schedule schedule = {2, {{28, 2}, {35, 1}}};
    choose(subject_find("threaded"), scenario_find("remote_free_vs_malloc"), 48);
    (void)explorer_follow(&explorer, &schedule, true); /* from here on it is known what is shared */
    assert_false(explorer_follow(&explorer, &schedule, true));
    first = *explorer.record;
    assert_false(explorer_follow(&explorer, &schedule, true));
    assert_int_equal(first.taken.count, schedule.count);
    assert_int_equal(first.steps, explorer.record->steps);
    assert_int_equal(first.event_count, explorer.record->event_count);
    assert_memory_equal(first.events, explorer.record->events,
                        first.event_count * sizeof first.events[0]);
}

static void schedule_text_is_read_back(void **state)
{
    (void)state;
    static const char *const texts[] = {"default", "1:2", "12:2,31:1,400:0"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct schedule schedule;
        char error[VERDICT_SENTENCE_MAX], text[SCHEDULE_TEXT_MAX];
        assert_true(schedule_parse(texts[i], &schedule, error));
        schedule_print(&schedule, text);
        assert_string_equal(text, texts[i]);
    }
}

static void wrong_schedule_text_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",     "x",           "1",       "1:",      ":1",
                                        "1:9",  "2:1,1:2",     "1:1,1:2", "1:2;3:1", "-1:2",
                                        " 1:2", "default,1:2", ","};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct schedule schedule;
        char error[VERDICT_SENTENCE_MAX] = "";
        if (schedule_parse(texts[i], &schedule, error))
            fail_msg("`%s` is taken", texts[i]);
        assert_non_null(strstr(error, "is no schedule"));
    }
}

int main(int argc, char **argv)
{
    is_every_size = argc > 1 && strcmp(argv[1], "all") == 0;
    enum { TESTS_MAX = 64 };
    struct CMUnitTest tests[TESTS_MAX] = {
        cmocka_unit_test(correct_subject_is_exhausted_clean),
        cmocka_unit_test(anvil_is_exhausted_clean),
        cmocka_unit_test(replay_takes_the_same_steps),
        cmocka_unit_test(schedule_text_is_read_back),
        cmocka_unit_test(wrong_schedule_text_is_refused),
    };
    struct mutant_catch catch;
    size_t count = 5;
    for (size_t i = 0; subject_at(i) != NULL && count + 2 <= TESTS_MAX; i++) {
        const struct interleave_subject *subject = subject_at(i);
        if (subject_mutant(subject, &catch) == NULL)
            continue;
        tests[count++] = (struct CMUnitTest){.name = subject->name,
                                             .test_func = mutant_is_found_exhaustively,
                                             .initial_state = (void *)(uintptr_t)subject};
        tests[count++] = (struct CMUnitTest){.name = subject->name,
                                             .test_func = mutant_is_found_by_priorities,
                                             .initial_state = (void *)(uintptr_t)subject};
    }
    if (explorer_init(&explorer) != 0)
        return 2;
    return _cmocka_run_group_tests("interleave", tests, count, NULL, NULL);
}
