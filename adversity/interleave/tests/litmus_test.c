/* SPDX-License-Identifier: MIT */
/* The scheduler and the race detector against little programs whose answer is known: exhausted, and
 * clean or failed by the check that must. */
#include "litmus.h"

#include "adversity/interleave/explore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BOUND = 3, SCHEDULES_MAX = 2000 };

struct litmus {
    const char *name, *check;
    void (*bodies[2])(void);
};
static struct litmus litmuses[] = {
#define LITMUS(name, check) {#name, check, {litmus_##name##_1, litmus_##name##_2}},
    LITMUSES(LITMUS)
#undef LITMUS
};
enum { LITMUS_COUNT = sizeof litmuses / sizeof litmuses[0] };

static struct explorer explorer;

static void litmus_has_its_answer(void **state)
{
    const struct litmus *litmus = *state;
    const struct interleave_subject nothing = {.name = "nothing", .malloc = malloc, .free = free};
    const struct scenario scenario = {.name = litmus->name,
                                      .bodies = {litmus->bodies[0], litmus->bodies[1]}};
    struct exploration exploration = {0};
    explorer.subject = &nothing;
    explorer.scenario = &scenario;
    explorer_forget_places(&explorer);
    explore_exhaustively(&explorer, BOUND, SCHEDULES_MAX, &exploration);
    const char *found =
        exploration.is_found ? check_name((enum check)exploration.verdict.check) : "clean";
    if (strcmp(found, litmus->check) != 0)
        fail_msg("%s: %s instead of %s: %s", litmus->name, found, litmus->check,
                 exploration.verdict.sentence);
    assert_true(exploration.is_found || exploration.is_exhausted);
    print_message("%s: %s in %llu schedules%s%s\n", litmus->name, found,
                  (unsigned long long)exploration.schedules, exploration.is_found ? ": " : "",
                  exploration.verdict.sentence);
}

int main(void)
{
    struct CMUnitTest tests[LITMUS_COUNT];
    for (size_t i = 0; i < LITMUS_COUNT; i++)
        tests[i] = (struct CMUnitTest){.name = litmuses[i].name,
                                       .test_func = litmus_has_its_answer,
                                       .initial_state = &litmuses[i]};
    if (explorer_init(&explorer) != 0)
        return 2;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
