/* SPDX-License-Identifier: MIT */
/*
 * gate.c on a registry that this file makes up: more clauses than the project has, each with a
 * probe of its own. The clauses, the probes, their processes and the judge are replaced; selection
 * and collection are the gate's.
 */
#include "conformance/gate_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { CLAUSES = 500 };

static char ids[CLAUSES][8];
static struct clause clauses[CLAUSES];
static struct probe probes[CLAUSES];

void clauses_load(void)
{
    for (size_t i = 0; i < CLAUSES; i++) {
        snprintf(ids[i], sizeof ids[i], "X-%zu", i);
        clauses[i] = (struct clause){.id = ids[i], .profiles = 1, .untestable = ""};
    }
}

size_t clauses_count(void)
{
    return CLAUSES;
}

const struct clause *clauses_at(size_t i)
{
    return &clauses[i];
}

const struct probe *probes_find(const char *id)
{
    for (size_t i = 0; i < CLAUSES; i++)
        if (strcmp(ids[i], id) == 0)
            return &probes[i];
    return NULL;
}

bool probe_answers(const struct probe *probe, const char *id)
{
    return strcmp(ids[probe - probes], id) == 0;
}

struct probe_capacity gate_measure_capacity(const struct gate_options *options)
{
    (void)options;
    return (struct probe_capacity){0};
}

const char *gate_describe_call(const struct probe_call *call, char ret_text[CALL_TEXT_MAX])
{
    (void)call;
    ret_text[0] = '\0';
    return ret_text;
}

int gate_run_probes(const struct gate_options *options, const struct probe *const *selected,
                    size_t count, collect_function *collect, void *context)
{
    static const struct probe_report report = {.outcome = OUTCOME_PASS};
    static const struct ending ending = {0};
    (void)options;
    for (size_t i = 0; i < count; i++)
        collect(selected[i], &report, &ending, context);
    return 0;
}

enum clause_verdict gate_judge(const struct clause *clause, const struct probe_report *report,
                               const struct ending *ending, char ret_evidence[EVIDENCE_MAX])
{
    (void)clause, (void)report, (void)ending;
    ret_evidence[0] = '\0';
    return CLAUSE_PASS;
}

static void every_probe_runs_however_many_there_are(void **state)
{
    (void)state;
    char error[SUBJECT_ERROR_MAX];
    const struct subject_plan subject = {.name = "subject"};
    const struct gate_options options = {.subject = &subject};
    struct gate_results results;
    assert_int_equal(gate_run(&options, &results, error), 0);
    assert_int_equal(results.count, CLAUSES);
    for (size_t i = 0; i < CLAUSES; i++) {
        assert_int_equal(results.results[i].verdict, CLAUSE_PASS);
        assert_ptr_equal(results.results[i].probe, &probes[i]);
    }
    gate_done(&results);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_probe_runs_however_many_there_are)};
    return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
