/* SPDX-License-Identifier: MIT */
/*
 * Proves that each probe can fail. Each clause that a mutant names must fail with it, and hold with
 * its sound twin:
 *
 *     conformance   all in one shared object, chosen by MALLET_MUTANT; sound: none chosen
 *     elf           a shared object each; sound: libanvil.so
 *     zones         a shared object each; sound: libzones_none.so
 *     header        headers/<id>/stdlib.h, found by the compiler through CPATH; sound:
 *                   headers/sound
 *
 *     mutants_test LIBRARY [EVERY]          one cmocka test for each, or for each EVERY-th
 *     mutants_test LIBRARY --exact [NAME]…  the whole gate on each: prints every clause that fails
 *                                           and is neither named nor listed in `consequences`, or
 *                                           the reverse
 */
#include "conformance/gate.h"
#include "harness/executor/executor.h"
#include "mutants/registry.h"

#include <libgen.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_MAX = 4096 };

/* A mutant and its sound twin. */
struct pair {
    const struct mutant *mutant;
    char clauses[TEXT_MAX];                          /* that must fail, separated by commas */
    char library[PATH_MAX], sound_library[PATH_MAX]; /* as executor_find_subject takes them */
    char variable[PATH_MAX], sound_variable[PATH_MAX];
};

static struct pair pairs[MUTANT_END];
static size_t pair_count;

static bool is_failure(const struct clause_result *result)
{
    return result->verdict == CLAUSE_FAIL ||
           (result->verdict == CLAUSE_WEAK && result->clause->strength == STRENGTH_SHOULD);
}

/* The gate on the clauses that the mutant names (all: on every clause), with it or with its sound
 * twin. */
static struct gate_results run(const struct pair *pair, bool all, bool sound)
{
    char words[TEXT_MAX], error[SUBJECT_ERROR_MAX], *rest = NULL;
    const char *globs[64];
    struct gate_results results;
    struct subject_plan subject;
    struct gate_options options = {.subject = &subject, .globs = globs};
    snprintf(words, sizeof words, "%s", pair->clauses);
    for (char *word = strtok_r(words, ",", &rest); word != NULL && !all;
         word = strtok_r(NULL, ",", &rest))
        globs[options.glob_count++] = word;
    if (executor_find_subject(&subject, sound ? pair->sound_library : pair->library, BIND_AUTO,
                              SUBJECT_IN_PROCESS, error) != 0)
        fail_msg("%s: %s", pair->mutant->id, error);
    snprintf(subject.environment, sizeof subject.environment, "%s",
             sound ? pair->sound_variable : pair->variable);
    if (gate_run(&options, &results, error) != 0)
        fail_msg("%s: %s", pair->mutant->id, error);
    return results;
}

static void mutant_fails_what_it_names(void **state)
{
    const struct pair *pair = *state;
    struct gate_results broken = run(pair, false, false), sound = run(pair, false, true);
    for (size_t i = 0; i < broken.count; i++)
        if (!is_failure(&broken.results[i]))
            fail_msg("%s does not fail %s: %s %s", pair->mutant->id, broken.results[i].clause->id,
                     clause_verdict_name(broken.results[i].verdict), broken.results[i].evidence);
    for (size_t i = 0; i < sound.count; i++)
        if (is_failure(&sound.results[i]) || sound.results[i].verdict == CLAUSE_ERROR)
            fail_msg("without %s, %s: %s", pair->mutant->id, sound.results[i].clause->id,
                     sound.results[i].evidence);
    assert_true(broken.count > 0);
    gate_done(&broken);
    gate_done(&sound);
}

static bool is_served(const struct clause *clause)
{
    for (size_t i = 0; i < pair_count; i++)
        if (mutant_names_have(pairs[i].clauses, clause->id))
            return true;
    return false;
}

static void every_clause_that_can_fail_the_gate_has_a_mutant(void **state)
{
    (void)state;
    size_t missing = 0;
    for (size_t i = 0; i < clauses_count(); i++) {
        const struct clause *clause = clauses_at(i);
        bool is_bound = clause->strength == STRENGTH_MUST || clause->strength == STRENGTH_GLIBC_EXT;
        if (is_bound && probes_find(clause->id) != NULL && !is_served(clause)) {
            print_error("no mutant fails %s\n", clause->id);
            missing++;
        }
    }
    assert_int_equal(missing, 0);
}

/* Adds the consequences of a mutant to what it names. Returns, in ret_perhaps, a comma-separated
 * list of those that fail in some runs only. */
static void read_consequences(struct pair *pair, char ret_perhaps[TEXT_MAX])
{
    char line[TEXT_MAX], *rest;
    FILE *file = fopen(MUTANTS_CONSEQUENCES, "r");
    assert_non_null(file);
    ret_perhaps[0] = '\0';
    while (fgets(line, sizeof line, file) != NULL) {
        char *word = strtok_r(line, ": \n", &rest);
        if (word == NULL || strcmp(word, pair->mutant->id) != 0)
            continue;
        while ((word = strtok_r(NULL, " \n", &rest)) != NULL) {
            char *list = word[0] == '?' ? ret_perhaps : pair->clauses;
            size_t length = strlen(list);
            snprintf(list + length, TEXT_MAX - length, ",%s", word + (word[0] == '?'));
        }
    }
    fclose(file);
}

/* A clause may have two results, of profiles that read it differently. */
static bool fails(const struct gate_results *results, const char *clause)
{
    bool is_found = false;
    for (size_t i = 0; i < results->count; i++)
        is_found |=
            strcmp(results->results[i].clause->id, clause) == 0 && is_failure(&results->results[i]);
    return is_found;
}

static int print_exact(const struct pair *named)
{
    int wrong = 0;
    struct pair expected = *named, perhaps = *named;
    read_consequences(&expected, perhaps.clauses);
    const struct pair *pair = &expected;
    struct gate_results results = run(pair, true, false);
    for (size_t i = 0; i < results.count; i++) {
        const struct clause_result *result = &results.results[i];
        if (fails(&results, result->clause->id) ==
                mutant_names_have(pair->clauses, result->clause->id) ||
            mutant_names_have(perhaps.clauses, result->clause->id) ||
            mutant_names_have(perhaps.clauses, "*"))
            continue;
        printf("%s: %s %s: %s\n", pair->mutant->id,
               is_failure(result) ? "also fails" : "does not fail", result->clause->id,
               result->evidence);
        wrong++;
    }
    fflush(stdout);
    gate_done(&results);
    return wrong;
}

static int compare_exactly(char **wanted)
{
    int wrong = 0;
    for (size_t i = 0; i < pair_count; i++) {
        bool is_wanted = wanted[0] == NULL;
        for (char **name = wanted; *name != NULL; name++)
            is_wanted |= strcmp(*name, pairs[i].mutant->id) == 0;
        if (is_wanted)
            wrong += print_exact(&pairs[i]);
    }
    return wrong != 0;
}

static void add_pair(const struct mutant *mutant, const char *functions, const char *folder)
{
    struct mutant_catch catch;
    struct pair *pair = &pairs[pair_count++];
    pair->mutant = mutant;
    assert_true(mutant_catch_find(mutant, "clause", &catch));
    snprintf(pair->clauses, sizeof pair->clauses, "%s", catch.names);
    bool is_header = strcmp(mutant->origin, "header") == 0;
    if (!is_header && strcmp(mutant->origin, "conformance") != 0) {
        mutant_library(mutant, false, folder, pair->library, PATH_MAX);
        mutant_library(mutant, true, folder, pair->sound_library, PATH_MAX);
        if (strcmp(mutant->origin, "elf") == 0)
            snprintf(pair->sound_library, PATH_MAX, "%.4000s/../libanvil.so", folder);
        return;
    }
    const char *variable = is_header ? "CPATH=" MUTANTS_HEADERS "/" : "MALLET_MUTANT=";
    snprintf(pair->library, PATH_MAX, "%s", is_header ? "glibc" : functions);
    snprintf(pair->sound_library, PATH_MAX, "%s", is_header ? "glibc" : functions);
    snprintf(pair->variable, PATH_MAX, "%s%s", variable, mutant->id);
    snprintf(pair->sound_variable, PATH_MAX, "%s%s", variable, is_header ? "sound" : "");
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[MUTANT_END + 1];
    char folder[PATH_MAX];
    size_t count = 0;
    if (argc < 2) {
        fprintf(stderr, "mutants_test: wants the library of mutants\n");
        return 2;
    }
    snprintf(folder, sizeof folder, "%s", argv[1]);
    dirname(folder);
    for (const struct mutant *mutant = NULL; (mutant = mutant_next(mutant, "clause")) != NULL;)
        add_pair(mutant, argv[1], folder);
    clauses_load();
    if (argc > 2 && strcmp(argv[2], "--exact") == 0)
        return compare_exactly(argv + 3);
    size_t every = argc > 2 ? strtoul(argv[2], NULL, 10) : 1;
    if (every == 0) {
        fprintf(stderr, "mutants_test: wants to know every how many-th mutant to run\n");
        return 2;
    }
    tests[count++] =
        (struct CMUnitTest)cmocka_unit_test(every_clause_that_can_fail_the_gate_has_a_mutant);
    for (size_t i = 0; i < pair_count; i += every)
        tests[count++] = (struct CMUnitTest){.name = pairs[i].mutant->id,
                                             .test_func = mutant_fails_what_it_names,
                                             .initial_state = &pairs[i]};
    return _cmocka_run_group_tests("mutants", tests, count, NULL, NULL);
}
