/* SPDX-License-Identifier: MIT */
/* How the steps of a check share its time. */
#include "mallet/check_steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void steps_that_take_their_part_get_their_shares_of_the_whole(void **state)
{
    (void)state;
    double left = 100;
    for (size_t i = 0; check_step_at(i) != NULL; i++) {
        double part = left * check_step_part(check_step_at(i), LEVEL_DEFAULT);
        assert_float_equal((float)part, (float)check_step_at(i)->share[LEVEL_DEFAULT], 1e-4F);
        left -= part;
    }
    assert_true(left > 0); /* for a deadlock in the last one */
}

static void a_first_step_that_takes_half_leaves_the_others_their_proportions(void **state)
{
    (void)state;
    double left = 50, rest = 100 - check_step_at(0)->share[LEVEL_DEFAULT];
    for (size_t i = 1; check_step_at(i) != NULL; i++) {
        double part = left * check_step_part(check_step_at(i), LEVEL_DEFAULT);
        assert_float_equal((float)part, (float)(50 * check_step_at(i)->share[LEVEL_DEFAULT] / rest),
                           1e-4F);
        left -= part;
    }
}

/* The clauses take what they take; every other step stops when its share is over. */
static void every_level_shares_its_time(void **state)
{
    (void)state;
    for (unsigned level = 0; level < LEVEL_COUNT; level++) {
        unsigned sum = 0;
        for (size_t i = 0; check_step_at(i) != NULL; i++) {
            const struct check_step *step = check_step_at(i);
            const char *command = step->commands[level];
            assert_true(step->share[level] > 0);
            assert_true(i == 0 || strstr(command, "?limit") != NULL ||
                        strstr(command, "$T:") != NULL);
            sum += step->share[level];
        }
        assert_in_range(sum, 50, 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_that_take_their_part_get_their_shares_of_the_whole),
        cmocka_unit_test(every_level_shares_its_time),
        cmocka_unit_test(a_first_step_that_takes_half_leaves_the_others_their_proportions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
