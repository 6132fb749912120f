/* SPDX-License-Identifier: MIT */
/*
 * Grouping on real defects: `group_mutants_test SUBJECTS TRACES`. Each mutant's own trace is shrunk
 * to its cause, whereupon the findings of all mutants are grouped as if they were of one allocator.
 * Two come to one group only where nothing that a caller can see tells them apart: the same trace
 * shows both, or both fail the same check in the same function, or both damage blocks by malloc and
 * free alone. Pairs that are joined all the same are listed one by one.
 */
#include "harness/executor/executor.h"
#include "harness/finding/group.h"
#include "mutants/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { OPS_MAX = 512, TEXT_MAX = 16384, BUDGET = 250 };

static const char *subjects_folder, *traces_folder;
static struct finding findings[MUTANT_END];
static const struct mutant *mutants[MUTANT_END];
static size_t count;

static bool read_trace(const struct mutant *mutant, struct trace *ret_trace)
{
    static char text[TEXT_MAX];
    char path[1024];
    struct trace_error error;
    snprintf(path, sizeof path, "%s/%s.trace", traces_folder, mutant->id);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    size_t length = fread(text, 1, sizeof text, file);
    fclose(file);
    ret_trace->ops = calloc(OPS_MAX, sizeof *ret_trace->ops);
    ret_trace->capacity = OPS_MAX;
    return trace_parse(text, length, ret_trace, &error) == 0;
}

static void find_cause(const struct mutant *mutant)
{
    char path[1024], error[SUBJECT_ERROR_MAX];
    const struct executor_options options = {.cpu_limit_ms = 200};
    struct executor *executor;
    struct execution execution;
    struct trace trace = {0};
    mutant_library(mutant, false, subjects_folder, path, sizeof path);
    assert_true(read_trace(mutant, &trace));
    assert_int_equal(executor_start(&executor, path, &options, error), 0);
    struct run_options thorough = executor_thorough(executor, trace.count);
    assert_int_equal(executor_run(executor, &trace, &thorough, true, &execution, error), 0);
    assert_false(execution.is_clean);
    struct verdict verdict = execution.verdict;
    assert_int_equal(shrink_to_cause(executor, &trace, &verdict, BUDGET, &execution, error), 0);
    assert_false(execution.is_clean);
    finding_make(&findings[count], "heap", &execution.verdict, "");
    findings[count].trace = trace;
    mutants[count++] = mutant;
    executor_stop(executor);
}

static int find_causes(void **state)
{
    (void)state;
    for (const struct mutant *mutant = NULL; (mutant = mutant_next(mutant, "trace")) != NULL;)
        if (strcmp(mutant->origin, "heap") == 0)
            find_cause(mutant);
    return 0;
}

static bool damages_plain_blocks(const struct finding *finding)
{
    struct cause cause = finding_cause(finding);
    return cause.effect == EFFECT_MEMORY && cause.functions == 1 && cause.refused == 0 &&
           !cause.needs_fork && !cause.needs_threads;
}

static bool is_same_trace(const struct trace *left, const struct trace *right)
{
    return left->count == right->count &&
           memcmp(left->ops, right->ops, left->count * sizeof *left->ops) == 0;
}

/* Whether a request to the system was refused does not make another class. */
static bool is_same_class(const struct finding *left, const struct finding *right)
{
    size_t length = strcspn(left->site, "@");
    return strcmp(left->check, right->check) == 0 && length == strcspn(right->site, "@") &&
           strncmp(left->site, right->site, length) == 0;
}

/* Known gaps: what damages blocks in one function, and what crashes in it. The crash is what damage
 * mostly comes to, so that telling them apart would give most mutants a second headline. */
static const char *const known_pairs[][2] = {
    {"grow_down_early_split", "realloc_copies_new_size"},
    {"asked_stays_old", "realloc_copies_new_size"},
    {"pair_1000_2000", "realloc_copies_new_size"},
    {"memalign_gap_16", "memalign_writes_below"},
    {"oom_mid_fill", "commit_unchecked"},
};

static bool is_known_pair(const char *left, const char *right)
{
    for (size_t i = 0; i < sizeof known_pairs / sizeof known_pairs[0]; i++)
        for (size_t j = 0; j < 2; j++)
            if (strcmp(known_pairs[i][j], left) == 0 && strcmp(known_pairs[i][1 - j], right) == 0)
                return true;
    return false;
}

static bool may_be_joined(const struct finding *left, const struct finding *right)
{
    return is_same_class(left, right) || is_same_trace(&left->trace, &right->trace) ||
           (damages_plain_blocks(left) && damages_plain_blocks(right));
}

static void print_finding(size_t i)
{
    char text[TEXT_MAX];
    (void)trace_format(&findings[i].trace, text, sizeof text);
    for (char *end = text; (end = strchr(end, '\n')) != NULL;)
        *end = ';';
    print_message("%s: %s in %s: %s\n", mutants[i]->id, findings[i].check, findings[i].site, text);
}

static void two_mutants_are_never_joined(void **state)
{
    size_t groups[MUTANT_END], joined = 0;
    (void)state;
    size_t group_count = findings_group(findings, count, groups);
    for (size_t i = 0; i < count; i++)
        print_finding(i);
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++) {
            if (groups[i] != groups[j] || may_be_joined(&findings[i], &findings[j]) ||
                is_known_pair(mutants[i]->id, mutants[j]->id))
                continue;
            joined++;
            print_message("joined: %s and %s\n", mutants[i]->id, mutants[j]->id);
        }
    print_message("%zu mutants, %zu groups\n", count, group_count);
    assert_int_equal(joined, 0);
    assert_true(group_count * 2 > count);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(two_mutants_are_never_joined)};
    if (argc != 3) {
        fprintf(stderr, "usage: %s SUBJECTS TRACES\n", argv[0]);
        return 2;
    }
    subjects_folder = argv[1];
    traces_folder = argv[2];
    return cmocka_run_group_tests(tests, find_causes, NULL);
}
