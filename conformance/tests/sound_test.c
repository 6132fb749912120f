/* SPDX-License-Identifier: MIT */
/*
 * The gate accuses no sound allocator, however unusual:
 *
 *     sound_test FOLDER PATTERN…    each sound subject of the registry whose id matches, in FOLDER
 *
 * Nothing that counts fails and no probe's process dies; every function that a probe calls is one
 * that the subject has or that the probe declares.
 */
#include "conformance/gate.h"
#include "harness/executor/executor.h"
#include "mutants/registry.h"

#include <fnmatch.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { TESTS_MAX = 64, SLOW_LIMIT_MS = 120000 };

static const char *folder;

/* What is missing is the clause itself, or what editions and glibc disagree on. */
static bool may_fail(const struct clause_result *result)
{
    static const char *const ids[] = {
        "GLIBC-replace-1",   "GLIBC-replace-2",   "ELF-interpose-1",       "MAN-malloc-1",
        "MAN-malloc-3",      "MAN-malloc-4",      "MAN-malloc-7",          "MAN-malloc-8",
        "POSIX17-realloc-3", "POSIX24-realloc-4", "MAN-malloc-6",          "POSIX24-reallocarray-6",
        "GLIBC-fork-3",    /* a handler may interrupt malloc while it holds its lock */
        "C23-7.24.3-p1-b", /* the strong reading: blocks below 16 bytes as well */
        "GLIBC-memalign-1",  "GLIBC-memalign-4",  "GLIBC-aligned_alloc-2", /* large alignments */
    };
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        if (strcmp(result->clause->id, ids[i]) == 0)
            return !result->counts;
    return false;
}

/* Why the result accuses the subject or the probe; NULL: it does neither. */
static const char *find_accusation(const struct clause_result *result)
{
    if (result->verdict == CLAUSE_ERROR)
        return "is an error of the probe";
    if (strstr(result->evidence, "does not declare") != NULL)
        return "comes from a probe that does not declare what it needs";
    if (result->clause->strength == STRENGTH_HARDENING || result->clause->strength == STRENGTH_UB)
        return NULL;
    if (result->verdict == CLAUSE_FAIL && !may_fail(result))
        return "fails";
    return strstr(result->evidence, "the process died") != NULL ? "dies" : NULL;
}

static void sound_subject_is_not_accused(void **state)
{
    const struct sound *sound = *state;
    char library[PATH_MAX], error[SUBJECT_ERROR_MAX];
    struct subject_plan subject;
    struct gate_results results;
    size_t accusations = 0, run = 0;
    snprintf(library, sizeof library, "%.4000s/lib%s.so", folder, sound->id);
    if (executor_find_subject(&subject, library, BIND_AUTO, SUBJECT_IN_PROCESS, error) != 0)
        fail_msg("%s: %s", sound->id, error);
    bool is_slow = strcmp(sound->pace, "slow") == 0; /* a millisecond for each call adds up */
    const struct gate_options options = {.subject = &subject,
                                         .limit_ms = is_slow ? SLOW_LIMIT_MS : 0};
    if (gate_run(&options, &results, error) != 0)
        fail_msg("%s: %s", sound->id, error);
    for (size_t i = 0; i < results.count; i++) {
        const struct clause_result *result = &results.results[i];
        const char *accusation = find_accusation(result);
        run += result->verdict == CLAUSE_PASS;
        if (accusation != NULL)
            print_error("%s: %s %s: %s\n", sound->id, result->clause->id, accusation,
                        result->evidence);
        accusations += accusation != NULL;
    }
    gate_done(&results);
    assert_int_equal(accusations, 0);
    assert_true(run > (is_slow ? 0 : 10)); /* a loaded machine leaves a slow one little time */
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[TESTS_MAX];
    static struct sound *states[TESTS_MAX];
    size_t count = 0;
    if (argc < 3) {
        fprintf(stderr, "usage: sound_test FOLDER PATTERN…\n");
        return 2;
    }
    folder = argv[1];
    for (size_t i = 0; sound_at(i) != NULL && count < TESTS_MAX; i++) {
        bool is_wanted = false;
        for (int k = 2; k < argc; k++)
            is_wanted |= fnmatch(argv[k], sound_at(i)->id, 0) == 0;
        if (!is_wanted)
            continue;
        states[count] = (struct sound *)(uintptr_t)sound_at(i);
        tests[count] = (struct CMUnitTest){.name = sound_at(i)->id,
                                           .test_func = sound_subject_is_not_accused,
                                           .initial_state = states[count]};
        count++;
    }
    clauses_load();
    return count > 0 ? _cmocka_run_group_tests("sound", tests, count, NULL, NULL) : 2;
}
