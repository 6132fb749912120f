/* SPDX-License-Identifier: MIT */
/*
 * The workloads can fail: `mutants_test FOLDER [MUTANT]`. Each mutant (or the one named) is caught
 * by its check in its workload; on the allocator without the bug, on anvil and on glibc, the same
 * workload is clean. Quick runs: what people would use first. A cost that the registry calls a
 * choice is a note.
 */
#include "adversity/growth/growth.h"
#include "harness/executor/executor.h"
#include "mutants/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { BAND = 256, ONE_BLOCK_BAND = 64 << 10, APPENDS_BAND = 4 << 20 };

static const char *folder;

struct seen {
    struct growth_result first; /* that is not clean */
    size_t findings;
};

static void collect(const struct growth_result *result, void *context)
{
    struct seen *seen = context;
    if (result->outcome == GROWTH_CLEAN)
        return;
    if (seen->findings++ == 0)
        seen->first = *result;
}

static size_t band_of(const struct workload *workload)
{
    if (workload->kind == WORKLOAD_APPENDS)
        return APPENDS_BAND;
    return workload_has_one_block(workload) ? ONE_BLOCK_BAND : BAND;
}

static struct seen run(const char *spec, const char *workload)
{
    struct subject_plan subject;
    struct seen seen = {0};
    char error[SUBJECT_ERROR_MAX];
    if (executor_find_subject(&subject, spec, BIND_AUTO, SUBJECT_IN_PROCESS, error) != 0)
        fail_msg("%s", error);
    const struct growth_options options = {.subject = &subject,
                                           .workloads = &workload,
                                           .workload_count = 1,
                                           .is_quick = true,
                                           .size = band_of(workloads_find(workload)),
                                           .settle_seconds = 2,
                                           .collect = collect,
                                           .context = &seen};
    assert_int_equal(growth_run(&options), 0);
    return seen;
}

static struct seen run_library(const char *origin, const char *id, const char *workload)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/lib%s_%s.so", folder, origin, id);
    return run(path, workload);
}

/* Whether the mutant's cost is one that an allocator may choose to have. */
static bool find_catch(const struct mutant *mutant, struct mutant_catch *ret_catch)
{
    bool is_note = mutant_catch_find(mutant, "note", ret_catch);
    assert_true(is_note || mutant_catch_find(mutant, "growth", ret_catch));
    return is_note;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void mutant_is_caught_by_its_check(void **state)
{
    const struct mutant *mutant = *state;
    struct mutant_catch catch;
    bool is_note = find_catch(mutant, &catch);
    double start = seconds();
    struct seen seen = run_library(mutant->origin, mutant->id, catch.where);
    if (seen.findings == 0)
        fail_msg("%s is clean in %s", mutant->id, catch.where);
    print_message("%s: %.1f s: %s at %s: %s\n", mutant->id, seconds() - start,
                  check_name(seen.first.check), seen.first.site, seen.first.sentence);
    assert_int_equal(seen.first.outcome, is_note ? GROWTH_NOTE : GROWTH_FINDING);
    assert_string_equal(check_name(seen.first.check), catch.names);
    assert_int_equal(seen.first.reproduced, seen.first.attempts);
}

static void assert_clean(const struct seen *seen, const char *subject)
{
    if (seen->findings != 0)
        fail_msg("%s: %s: %s", subject, seen->first.site, seen->first.sentence);
}

static void its_workload_is_clean_without_it(void **state)
{
    const struct mutant *mutant = *state;
    struct mutant_catch catch;
    find_catch(mutant, &catch);
    struct seen none = run_library(mutant->origin, "none", catch.where),
                anvil = run("anvil", catch.where), glibc = run("glibc", catch.where);
    assert_clean(&none, "base");
    assert_clean(&anvil, "anvil");
    assert_clean(&glibc, "glibc");
}

/* A workload that two mutants share need be clean once. */
static bool is_first_of_its_workload(const struct mutant *mutant, const char *means)
{
    struct mutant_catch ours, other;
    assert_true(mutant_catch_find(mutant, means, &ours));
    const struct mutant *first = NULL;
    do
        first = mutant_next(first, means);
    while (mutant_catch_find(first, means, &other) && strcmp(other.where, ours.where) != 0);
    return first == mutant;
}

/* Of all mutants, or of one. */
static size_t add_tests(struct CMUnitTest *tests, size_t count, const char *means, const char *id)
{
    static char clean[2 * MUTANT_END][80];
    for (const struct mutant *mutant = NULL; (mutant = mutant_next(mutant, means)) != NULL;) {
        void *state = (void *)(uintptr_t)mutant;
        if (id != NULL && strcmp(mutant->id, id) != 0)
            continue;
        tests[count++] = (struct CMUnitTest){
            .name = mutant->id, .test_func = mutant_is_caught_by_its_check, .initial_state = state};
        if (!is_first_of_its_workload(mutant, means))
            continue;
        snprintf(clean[count], sizeof clean[0], "the workload of %s is clean", mutant->id);
        tests[count] = (struct CMUnitTest){.name = clean[count],
                                           .test_func = its_workload_is_clean_without_it,
                                           .initial_state = state};
        count++;
    }
    return count;
}

int main(int argc, char **argv)
{
    static struct CMUnitTest tests[2 * MUTANT_END];
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: %s FOLDER [MUTANT]\n", argv[0]);
        return 2;
    }
    folder = argv[1];
    size_t count = add_tests(tests, add_tests(tests, 0, "growth", argv[2]), "note", argv[2]);
    return count == 0 ? 2 : _cmocka_run_group_tests("mutants", tests, count, NULL, NULL);
}
