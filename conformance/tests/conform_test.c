/* SPDX-License-Identifier: MIT */
/*
 * The whole gate on a subject, each clause a cmocka test of its own name:
 *
 *     conform_test SUBJECT SANITIZER    SUBJECT as subject_resolve takes it; SANITIZER 1 in a build
 *     that has one, else 0
 *
 * The gate runs once, before the tests, which only say what it found.
 */
#include "conformance/gate.h"
#include "harness/executor/executor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void clause_holds(void **state)
{
    const struct clause_result *result = *state;
    switch (result->verdict) {
    case CLAUSE_FAIL:
    case CLAUSE_ERROR:
        fail_msg("%s: %s", clause_verdict_name(result->verdict), result->evidence);
        break;
    case CLAUSE_NOT_APPLICABLE:
    case CLAUSE_UNSUPPORTED:
    case CLAUSE_UNTESTABLE:
        skip();
        break;
    default:
        break;
    }
}

static int run_clauses(const char *subject, const struct gate_results *results)
{
    struct CMUnitTest *tests = calloc(results->count, sizeof *tests);
    if (tests == NULL)
        return 2;
    for (size_t i = 0; i < results->count; i++)
        tests[i] = (struct CMUnitTest){.name = results->results[i].clause->id,
                                       .test_func = clause_holds,
                                       .initial_state = &results->results[i]};
    int failed = _cmocka_run_group_tests(subject, tests, results->count, NULL, NULL);
    free(tests);
    return failed != 0;
}

int main(int argc, char **argv)
{
    char error[SUBJECT_ERROR_MAX] = "usage: conform_test SUBJECT SANITIZER";
    struct subject_plan subject;
    struct gate_results results;
    struct gate_options options = {.subject = &subject,
                                   .has_sanitizer = argc == 3 && strcmp(argv[2], "1") == 0};
    if (argc != 3 ||
        executor_find_subject(&subject, argv[1], BIND_AUTO, SUBJECT_IN_PROCESS, error) != 0 ||
        gate_run(&options, &results, error) != 0) {
        fprintf(stderr, "conform_test: %s\n", error);
        return 2;
    }
    int status = run_clauses(subject.name, &results);
    gate_done(&results);
    return status;
}
