/* SPDX-License-Identifier: MIT */
/* The table of steps, and what a step is said to have done. */
#include "mallet/check_steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct check_step *find_step(const char *name)
{
    for (size_t i = 0; check_step_at(i) != NULL; i++)
        if (strcmp(check_step_at(i)->name, name) == 0)
            return check_step_at(i);
    fail_msg("there is no step %s", name);
    return NULL;
}

/* Two steps at a time: the sum fits into twice the time of the level, less what is kept for the
 * findings. */
static void the_steps_fit_into_their_level(void **state)
{
    (void)state;
    for (unsigned level = 0; level < LEVEL_THOROUGH; level++) {
        unsigned sum = 0, limit = check_level_limit((enum check_level)level);
        for (size_t i = 0; check_step_at(i) != NULL; i++)
            sum += check_step_at(i)->is_anvils ? 0 : check_step_at(i)->seconds[level];
        assert_in_range(sum, limit, 2 * limit);
    }
}

static void every_step_has_a_minimum_and_can_be_stopped(void **state)
{
    (void)state;
    for (size_t i = 0; check_step_at(i) != NULL; i++)
        for (unsigned level = 0; level < LEVEL_COUNT; level++) {
            const struct check_step *step = check_step_at(i);
            assert_true(step->minimum[level] > 0);
            assert_true(strstr(step->commands[level], "?limit") != NULL ||
                        strstr(step->commands[level], "$T") != NULL);
        }
}

static void a_higher_level_demands_no_less(void **state)
{
    (void)state;
    for (size_t i = 0; check_step_at(i) != NULL; i++) {
        const unsigned long *minimum = check_step_at(i)->minimum;
        assert_true(minimum[LEVEL_QUICK] <= minimum[LEVEL_DEFAULT]);
        assert_true(minimum[LEVEL_DEFAULT] <= minimum[LEVEL_THOROUGH]);
    }
}

static void breadth_comes_first_and_the_campaign_gets_fifteen_seconds(void **state)
{
    (void)state;
    assert_string_equal(check_step_at(0)->name, "pass");
    assert_string_equal(check_step_at(1)->name, "fuzz");
    assert_true(check_step_at(1)->seconds[LEVEL_QUICK] >= 15);
}

static void a_step_is_measured_by_what_its_document_says(void **state)
{
    char text[64];
    const struct check_step *step = find_step("refusals");
    json_t *document = json_pack("{s:i, s:i, s:i}", "done", 3, "minimum", 5, "faults", 40);
    (void)state;
    assert_int_equal(check_step_done(document), 3);
    assert_int_equal(check_step_minimum(step, LEVEL_QUICK, document), 5); /* all that there was */
    check_step_describe(step, document, text, sizeof text);
    assert_true(check_step_is_part(document));
    assert_string_equal(text, "3 of 5 traces, 40 refused OS calls");
    json_object_set_new(document, "done", json_integer(5));
    assert_false(check_step_is_part(document));
    check_step_describe(step, document, text, sizeof text);
    assert_string_equal(text, "5 traces, 40 refused OS calls");
    json_object_set_new(document, "minimum", json_integer(5000));
    assert_int_equal(check_step_minimum(step, LEVEL_QUICK, document), step->minimum[LEVEL_QUICK]);
    json_decref(document);
}

static void what_is_not_applicable_is_not_demanded(void **state)
{
    const struct check_step *step = find_step("cost");
    json_t *document =
        json_pack("{s:i, s:i, s:i, s:i}", "done", 0, "minimum", 1, "skipped", 6, "not_run", 0);
    (void)state;
    assert_int_equal(check_step_minimum(step, LEVEL_QUICK, document), 0);
    json_object_set_new(document, "not_run", json_integer(1)); /* the time was over */
    assert_int_equal(check_step_minimum(step, LEVEL_QUICK, document), 1);
    json_decref(document);
}

static void a_step_without_a_document_did_nothing(void **state)
{
    (void)state;
    assert_int_equal(check_step_done(NULL), 0);
    assert_true(check_step_minimum(find_step("pass"), LEVEL_QUICK, NULL) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_steps_fit_into_their_level),
        cmocka_unit_test(every_step_has_a_minimum_and_can_be_stopped),
        cmocka_unit_test(a_higher_level_demands_no_less),
        cmocka_unit_test(breadth_comes_first_and_the_campaign_gets_fifteen_seconds),
        cmocka_unit_test(a_step_is_measured_by_what_its_document_says),
        cmocka_unit_test(what_is_not_applicable_is_not_demanded),
        cmocka_unit_test(a_step_without_a_document_did_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
