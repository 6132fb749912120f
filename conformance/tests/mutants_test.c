/* SPDX-License-Identifier: MIT */
/*
 * Proves that each probe can fail: every mutant must be failed by each clause that it names, and the same clauses must hold without it.
 *
 *     mutants_test LIBRARY                  one cmocka test a mutant
 *     mutants_test LIBRARY --exact [NAME]…  the whole gate on each mutant: prints every clause that fails and is not named, or the reverse
 */
#include "conformance/gate.h"
#include "conformance/tests/mutant.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { MUTANTS_MAX = 400 };

static struct gate_subject subject;
static const struct mutant *(*list)(size_t i);

static bool is_failure(const struct clause_result *result)
{
    return result->verdict == CLAUSE_FAIL || (result->verdict == CLAUSE_WEAK && result->clause->strength == STRENGTH_SHOULD);
}

static bool names(const struct mutant *mutant, const char *clause)
{
    size_t length = strlen(clause);
    for (const char *at = strstr(mutant->clauses, clause); at != NULL; at = strstr(at + 1, clause))
        if ((at == mutant->clauses || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

/* The gate on the clauses that the mutant names (all: on every clause), with the mutant chosen or not. */
static struct gate_results run(const struct mutant *mutant, bool all, const char *name)
{
    char words[4096], error[SUBJECT_ERROR_MAX], *rest = NULL;
    const char *globs[64];
    struct gate_results results;
    struct gate_options options = {.subject = &subject, .globs = globs};
    snprintf(words, sizeof words, "%s", mutant->clauses);
    for (char *word = strtok_r(words, " ", &rest); word != NULL && !all; word = strtok_r(NULL, " ", &rest))
        globs[options.glob_count++] = word;
    snprintf(subject.environment, sizeof subject.environment, "MALLET_MUTANT=%s", name);
    if (gate_run(&options, &results, error) != 0)
        fail_msg("%s: %s", mutant->name, error);
    return results;
}

static void mutant_fails_what_it_names(void **state)
{
    const struct mutant *mutant = *state;
    struct gate_results broken = run(mutant, false, mutant->name), sound = run(mutant, false, "");
    for (size_t i = 0; i < broken.count; i++)
        if (!is_failure(&broken.results[i]))
            fail_msg("%s does not fail %s: %s %s", mutant->name, broken.results[i].clause->id,
                     clause_verdict_name(broken.results[i].verdict), broken.results[i].evidence);
    for (size_t i = 0; i < sound.count; i++)
        if (is_failure(&sound.results[i]) || sound.results[i].verdict == CLAUSE_ERROR)
            fail_msg("without %s, %s: %s", mutant->name, sound.results[i].clause->id, sound.results[i].evidence);
    assert_true(broken.count > 0);
    gate_done(&broken);
    gate_done(&sound);
}

static bool is_served(const struct clause *clause)
{
    for (size_t i = 0; list(i) != NULL; i++)
        if (names(list(i), clause->id))
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

static int print_exact(const struct mutant *mutant)
{
    int wrong = 0;
    struct gate_results results = run(mutant, true, mutant->name);
    for (size_t i = 0; i < results.count; i++) {
        const struct clause_result *result = &results.results[i];
        if (is_failure(result) == names(mutant, result->clause->id))
            continue;
        printf("%s: %s %s: %s\n", mutant->name, is_failure(result) ? "also fails" : "does not fail", result->clause->id, result->evidence);
        wrong++;
    }
    fflush(stdout);
    gate_done(&results);
    return wrong;
}

static int compare_exactly(char **wanted)
{
    int wrong = 0;
    for (size_t i = 0; list(i) != NULL; i++) {
        bool is_wanted = wanted[0] == NULL;
        for (char **name = wanted; *name != NULL; name++)
            is_wanted |= strcmp(*name, list(i)->name) == 0;
        if (is_wanted)
            wrong += print_exact(list(i));
    }
    return wrong != 0;
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[MUTANTS_MAX];
    char error[SUBJECT_ERROR_MAX];
    size_t count = 0;
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND) : NULL;
    if (library == NULL || gate_subject_find(&subject, argv[1], error) != 0) {
        fprintf(stderr, "mutants_test: %s\n", library == NULL ? "wants the library of mutants" : error);
        return 2;
    }
    clauses_load();
    *(void **)&list = dlsym(library, "mutant_at");
    if (argc > 2 && strcmp(argv[2], "--exact") == 0)
        return compare_exactly(argv + 3);
    tests[count++] = (struct CMUnitTest)cmocka_unit_test(every_clause_that_can_fail_the_gate_has_a_mutant);
    for (size_t i = 0; list(i) != NULL && count < MUTANTS_MAX; i++)
        tests[count++] = (struct CMUnitTest){
            .name = list(i)->name, .test_func = mutant_fails_what_it_names, .initial_state = (void *)(uintptr_t)list(i)};
    return _cmocka_run_group_tests("mutants", tests, count, NULL, NULL);
}
