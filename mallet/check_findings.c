/* SPDX-License-Identifier: MIT */
/* What a step found, by the lines that it wrote as it found it, and what it did, by the numbers of
 * the document that it printed at its end. A step that was stopped leaves the lines only. */
#include "mallet/check_run.h"

#include <stdio.h>
#include <string.h>

void check_findings_path(const struct check_request *request, const struct check_step *step,
                         char ret_path[PATH_MAX])
{
    snprintf(ret_path, PATH_MAX, "%.3000s/%s.findings", request->output, step->name);
}

/* A probe that failed by itself is no finding: its command says so by its status. */
static bool is_error(const struct finding *finding)
{
    return finding_is_clause(finding) && strcmp(finding->site, "error") == 0;
}

struct finding *check_findings(const struct check_request *request, const struct check_step *step,
                               size_t *ret_count)
{
    char path[PATH_MAX];
    size_t all = 0, count = 0;
    check_findings_path(request, step, path);
    FILE *file = fopen(path, "re");
    struct finding *findings = file != NULL ? finding_read_lines(file, &all) : NULL;
    for (size_t i = 0; i < all; i++)
        if (is_error(&findings[i]))
            finding_done(&findings[i]);
        else
            findings[count++] = findings[i];
    if (file != NULL)
        fclose(file);
    *ret_count = count;
    return findings;
}

/* ---- what it did ---- */

static long long number_of(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

/* The sum of a number in the members of an array. */
static long long sum_of(const json_t *list, const char *key)
{
    size_t i;
    json_t *object;
    long long sum = 0;
    json_array_foreach(list, i, object) sum += number_of(object, key);
    return sum;
}

void check_describe_clauses(const json_t *document, char *ret_text, size_t capacity)
{
    size_t i, passes = 0, fails = 0, expected = 0;
    json_t *object;
    json_array_foreach(json_object_get(document, "results"), i, object)
    {
        const char *verdict = json_string_value(json_object_get(object, "verdict"));
        bool is_expected = json_object_get(object, "baseline") != NULL;
        passes += verdict != NULL && strcmp(verdict, "pass") == 0;
        fails += verdict != NULL && strcmp(verdict, "fail") == 0 && !is_expected;
        expected += is_expected;
    }
    snprintf(ret_text, capacity, "%zu pass, %zu fail, %zu fail as expected", passes, fails,
             expected);
}

void check_describe_traces(const json_t *document, char *ret_text, size_t capacity)
{
    snprintf(ret_text, capacity, "%zu traces",
             json_array_size(json_object_get(document, "traces")));
}

void check_describe_refusals(const json_t *document, char *ret_text, size_t capacity)
{
    snprintf(ret_text, capacity, "%zu traces, %lld refusals",
             json_array_size(json_object_get(document, "traces")), number_of(document, "faults"));
}

void check_describe_interleavings(const json_t *document, char *ret_text, size_t capacity)
{
    const json_t *explorations = json_object_get(document, "explorations");
    snprintf(ret_text, capacity, "%zu scenarios, %lld schedules", json_array_size(explorations),
             sum_of(explorations, "schedules"));
}

void check_describe_growth(const json_t *document, char *ret_text, size_t capacity)
{
    snprintf(ret_text, capacity, "%lld workloads clean, %lld skipped", number_of(document, "clean"),
             number_of(document, "skipped"));
}

void check_describe_campaign(const json_t *document, char *ret_text, size_t capacity)
{
    snprintf(ret_text, capacity, "%lld runs", number_of(document, "executions"));
}

void check_describe_torture(const json_t *document, char *ret_text, size_t capacity)
{
    const json_t *scenarios = json_object_get(document, "scenarios");
    snprintf(ret_text, capacity, "%lld calls, %lld forks", sum_of(scenarios, "calls"),
             sum_of(scenarios, "forks"));
}
