/* SPDX-License-Identifier: MIT */
/* The gate as a program of its own, without the mallet command. Prints the results as TAP. */
#include "conformance/standalone.h"

#include "conformance/gate.h"
#include "harness/base/proc.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { STATUS_PASSES, STATUS_FAILS, STATUS_REFUSED, STATUS_INTERNAL };

static const char usage[] = "Usage: mallet-conform [--profile PROFILE]… [GLOB]…\n"
                            "Puts every clause (or those whose id matches a GLOB) to the malloc "
                            "that this program is linked with.\n";

static bool parse(int argc, char **argv, struct gate_options *options)
{
    static const char *globs[64];
    for (int i = 1; i < argc; i++) {
        bool is_profile = strcmp(argv[i], "--profile") == 0 && i + 1 < argc;
        enum profile profile = is_profile ? profile_find(argv[++i]) : PROFILE_COUNT;
        bool is_odd = !is_profile &&
                      (argv[i][0] == '-' || options->glob_count == sizeof globs / sizeof globs[0]);
        if (is_odd || (is_profile && profile == PROFILE_COUNT)) {
            fprintf(stderr, "mallet-conform: unknown %s `%s`\n%s", is_odd ? "option" : "profile",
                    argv[i], usage);
            return false;
        }
        if (is_profile)
            options->profiles |= 1u << profile;
        else
            globs[options->glob_count++] = argv[i];
    }
    options->globs = globs;
    return true;
}

/* As TAP, so that any harness reads it. */
static void print_results(const struct gate_results *results, size_t counts[CLAUSE_VERDICT_COUNT])
{
    printf("TAP version 13\n1..%zu\n", results->count);
    for (size_t i = 0; i < results->count; i++) {
        const struct clause_result *result = &results->results[i];
        bool is_bad = result->verdict == CLAUSE_FAIL || result->verdict == CLAUSE_ERROR;
        bool is_skip = result->verdict >= CLAUSE_NOT_APPLICABLE && !is_bad;
        printf("%s %zu - %s%s%s\n", is_bad ? "not ok" : "ok", i + 1, result->clause->id,
               is_skip ? " # SKIP " : "", is_skip ? clause_verdict_name(result->verdict) : "");
        if (result->evidence[0] != '\0' && !is_skip)
            printf("# %s: %s\n", clause_verdict_name(result->verdict), result->evidence);
        counts[result->verdict]++;
    }
}

int standalone_main(int argc, char **argv)
{
    static char program[PATH_MAX];
    char error[SUBJECT_ERROR_MAX];
    struct gate_results results;
    size_t counts[CLAUSE_VERDICT_COUNT] = {0};
    bool is_known = proc_own_program(program, sizeof program);
    const struct subject_plan subject = subject_plan_host("host", is_known ? program : argv[0]);
    struct gate_options options = {.subject = &subject};
    if (!parse(argc, argv, &options))
        return STATUS_REFUSED;
    int result = gate_run(&options, &results, error);
    if (result != 0) {
        fprintf(stderr, "mallet-conform: %s\n", error);
        return result == ENOENT ? STATUS_REFUSED : STATUS_INTERNAL;
    }
    print_results(&results, counts);
    printf("#");
    for (unsigned i = 0; i < CLAUSE_VERDICT_COUNT; i++)
        printf(" %s %zu%s", clause_verdict_name((enum clause_verdict)i), counts[i],
               i + 1 < CLAUSE_VERDICT_COUNT ? "," : "\n");
    gate_done(&results);
    return counts[CLAUSE_ERROR] > 0  ? STATUS_INTERNAL
           : counts[CLAUSE_FAIL] > 0 ? STATUS_FAILS
                                     : STATUS_PASSES;
}
