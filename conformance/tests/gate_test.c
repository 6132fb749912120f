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

/* What the subject has, and how often it was measured. */
static struct probe_capacity has;
static unsigned measured;

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

struct probe_capacity gate_measure_capacity(const struct gate_options *options,
                                            const struct probe_capacity *asked)
{
    (void)options;
    measured++;
    return (struct probe_capacity){.largest = smaller(has.largest, asked->largest),
                                   .blocks = smaller(has.blocks, asked->blocks),
                                   .bytes = smaller(has.bytes, asked->bytes)};
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

static bool is_short(struct room *room, uint64_t size, uint64_t blocks, uint64_t bytes)
{
    static const struct gate_options options;
    const struct probe_calls made = {
        .refused_size = size, .refused_blocks = blocks, .refused_bytes = bytes};
    return room_is_short(room, &options, &made);
}

/* Finding the end of a large heap may take the time of all probes. */
static void no_more_is_measured_than_a_probe_needed(void **state)
{
    (void)state;
    struct room room = {0};
    has = (struct probe_capacity){.largest = 1 << 20, .blocks = 1000, .bytes = 1 << 20};
    measured = 0;
    assert_false(is_short(&room, 100, 10, 1000));
    assert_int_equal(room.asked.blocks, 40);
    assert_false(is_short(&room, 100, 5, 1000));
    assert_int_equal(measured, 1);
    assert_false(is_short(&room, 100, 100, 1000));
    assert_int_equal(measured, 2);
}

static void an_end_that_is_known_is_not_looked_for_again(void **state)
{
    (void)state;
    struct room room = {0};
    has = (struct probe_capacity){.largest = 1 << 20, .blocks = 1000, .bytes = 1 << 20};
    measured = 0;
    assert_true(is_short(&room, 100, 300, 1000)); /* 1200 with the margin */
    assert_true(is_short(&room, 100, 500, 1000));
    assert_int_equal(measured, 1);
    assert_true(is_short(&room, 1 << 20, 0, 0));
    assert_true(is_short(&room, 100, 0, 1 << 19));
    assert_false(is_short(&room, 100, 200, 1000));
    assert_true(room_is_limited(&room, &(struct gate_options){0}));
}

static void what_gives_all_that_probes_may_need_is_not_limited(void **state)
{
    (void)state;
    struct room room = {0};
    has = (struct probe_capacity){UINT64_MAX, UINT64_MAX, UINT64_MAX};
    assert_false(room_is_limited(&room, &(struct gate_options){0}));
    assert_true(room_is_limited(&room, &(struct gate_options){.capacity = 1 << 20}));
    assert_false(is_short(&room, UINT64_C(1) << 40, 1 << 20, UINT64_C(1) << 40));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_probe_runs_however_many_there_are),
        cmocka_unit_test(no_more_is_measured_than_a_probe_needed),
        cmocka_unit_test(an_end_that_is_known_is_not_looked_for_again),
        cmocka_unit_test(what_gives_all_that_probes_may_need_is_not_limited),
    };
    return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
