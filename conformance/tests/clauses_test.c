/* SPDX-License-Identifier: MIT */
/*
 * The registry and the probes agree: no clause has two probes, and each has a probe or a reason why
 * it has none.
 */
#include "conformance/clauses.h"
#include "conformance/outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { NAMES_MAX = 1024 };

/* Calls `visit` for each id that a probe names. */
static void visit_names(void (*visit)(const char *id, const struct probe *probe))
{
    for (size_t i = 0; probes_at(i) != NULL; i++) {
        char names[NAMES_MAX], *rest = NULL;
        snprintf(names, sizeof names, "%s", probes_at(i)->clauses);
        for (char *id = strtok_r(names, " ", &rest); id != NULL; id = strtok_r(NULL, " ", &rest))
            visit(id, probes_at(i));
    }
}

static size_t complaints;

static void complain_if_unknown(const char *id, const struct probe *probe)
{
    if (clauses_find(id) != NULL)
        return;
    print_error("%s names %s, which is no clause\n", probe->job.name, id);
    complaints++;
}

static void every_id_that_a_probe_names_exists(void **state)
{
    (void)state;
    complaints = 0;
    visit_names(complain_if_unknown);
    assert_int_equal(complaints, 0);
}

static struct {
    const char *id;
    size_t count;
} counted;

static void count_name(const char *id, const struct probe *probe)
{
    (void)probe;
    counted.count += strcmp(id, counted.id) == 0;
}

static void no_clause_is_named_twice(void **state)
{
    (void)state;
    complaints = 0;
    for (size_t i = 0; i < clauses_count(); i++) {
        counted.id = clauses_at(i)->id;
        counted.count = 0;
        visit_names(count_name);
        if (counted.count > 1)
            print_error("%s is named %zu times\n", counted.id, counted.count);
        complaints += counted.count > 1;
    }
    assert_int_equal(complaints, 0);
}

static void every_clause_has_a_probe_or_a_reason(void **state)
{
    (void)state;
    complaints = 0;
    for (size_t i = 0; i < clauses_count(); i++) {
        const struct clause *clause = clauses_at(i);
        bool has_probe = probes_find(clause->id) != NULL,
             has_reason = clause->untestable[0] != '\0';
        if (has_probe == has_reason)
            print_error("%s has %s\n", clause->id,
                        has_probe ? "a probe and a reason for having none"
                                  : "neither a probe nor a reason");
        complaints += has_probe == has_reason;
    }
    assert_int_equal(complaints, 0);
}

static void every_clause_with_a_probe_says_why(void **state)
{
    (void)state;
    complaints = 0;
    for (size_t i = 0; i < clauses_count(); i++) {
        bool is_silent = probes_find(clauses_at(i)->id) != NULL && clauses_at(i)->why[0] == '\0';
        if (is_silent)
            print_error("%s does not say why it matters\n", clauses_at(i)->id);
        complaints += is_silent;
    }
    assert_int_equal(complaints, 0);
}

static void every_clause_has_a_profile_and_a_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < clauses_count(); i++) {
        assert_int_not_equal(clauses_at(i)->profiles, 0);
        assert_string_not_equal(clauses_at(i)->requirement, "");
        assert_int_equal(clauses_at(i)->strict & ~clauses_at(i)->profiles, 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_id_that_a_probe_names_exists),
        cmocka_unit_test(no_clause_is_named_twice),
        cmocka_unit_test(every_clause_has_a_probe_or_a_reason),
        cmocka_unit_test(every_clause_with_a_probe_says_why),
        cmocka_unit_test(every_clause_has_a_profile_and_a_text)};
    clauses_load();
    return cmocka_run_group_tests_name("clauses", tests, NULL, NULL);
}
