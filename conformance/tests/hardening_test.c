/* SPDX-License-Identifier: MIT */
/*
 * Undefined use that is noticed at once, late or not at all gets different verdicts, both in the
 * probe's process and in the children that run single cases.
 */
#include "conformance/gate.h"
#include "harness/executor/executor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *library;

/* What the gate says of one clause; `environment`: "NAME=value". */
static void expect_verdict(const char *spec, const char *environment, const char *clause,
                           enum clause_verdict expected)
{
    char error[SUBJECT_ERROR_MAX] = "";
    struct subject_plan subject;
    struct gate_results results;
    if (executor_find_subject(&subject, spec, BIND_AUTO, SUBJECT_IN_PROCESS, error) != 0)
        fail_msg("%s: %s", spec, error);
    snprintf(subject.environment, sizeof subject.environment, "%s", environment);
    const struct gate_options options = {.subject = &subject, .globs = &clause, .glob_count = 1};
    if (gate_run(&options, &results, error) != 0)
        fail_msg("%s: %s", clause, error);
    if (results.count != 1 || results.results[0].verdict != expected)
        fail_msg("%s with %s: expected %s, observed %s: %s", clause, environment,
                 clause_verdict_name(expected), clause_verdict_name(results.results[0].verdict),
                 results.results[0].evidence);
    gate_done(&results);
}

/* One misuse in the probe's process, and several in children. */
static const char *const double_frees[] = {"HARD-double-free-1", "HARD-double-free-2",
                                           "HARD-double-free-5"};

static void expect_double_frees(const char *environment, enum clause_verdict expected)
{
    for (size_t i = 0; i < sizeof double_frees / sizeof double_frees[0]; i++)
        expect_verdict(library, environment, double_frees[i], expected);
}

static void death_inside_the_misuse_is_detected(void **state)
{
    (void)state;
    expect_double_frees("MALLET_MUTANT=", CLAUSE_DETECTED);
    expect_verdict(library, "MALLET_MUTANT=", "HARD-report", CLAUSE_PASS);
}

static void death_after_the_misuse_is_late(void **state)
{
    (void)state;
    expect_double_frees("MALLET_MUTANT=free_tells_of_the_second_late", CLAUSE_LATE);
}

static void misuse_without_consequence_is_silent(void **state)
{
    (void)state;
    expect_double_frees("MALLET_MUTANT=free_overlooks_the_second", CLAUSE_SILENT);
}

static void spinning_in_the_misuse_is_silent(void **state)
{
    (void)state;
    expect_verdict(library, "MALLET_MUTANT=free_spins_on_the_second", double_frees[0],
                   CLAUSE_SILENT);
}

static void cleared_memory_is_told_from_a_leak(void **state)
{
    (void)state;
    expect_verdict(library, "MALLET_MUTANT=free_overlooks_the_second", "HARD-uaf-read",
                   CLAUSE_DETECTED);
    expect_verdict(library, "MALLET_MUTANT=", "HARD-uaf-read", CLAUSE_SILENT);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(death_inside_the_misuse_is_detected),
        cmocka_unit_test(death_after_the_misuse_is_late),
        cmocka_unit_test(misuse_without_consequence_is_silent),
        cmocka_unit_test(spinning_in_the_misuse_is_silent),
        cmocka_unit_test(cleared_memory_is_told_from_a_leak),
    };
    if (argc < 2) {
        fprintf(stderr, "hardening_test: wants the library of mutants\n");
        return 2;
    }
    library = argv[1];
    return cmocka_run_group_tests_name("hardening", tests, NULL, NULL);
}
