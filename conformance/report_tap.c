/* SPDX-License-Identifier: MIT */
/*
 * TAP 13. A failure that the baseline expects is a TODO test: it fails without failing the run. A
 * clause that cannot be tested is skipped. Evidence of a failure is a YAML block, other evidence a
 * comment.
 */
#include "conformance/report_formats.h"

static size_t count_results(const struct conform_report *report)
{
    size_t count = 0;
    for (size_t i = 0; i < report->count; i++)
        count += report->columns[i].results.count;
    return count;
}

/* In a description or directive, # begins a directive and \ quotes. */
static void write_description(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        fprintf(out, *text == '#' || *text == '\\' ? "\\%c" : "%c", *text);
}

static void write_yaml(FILE *out, const char *key, const char *text)
{
    fprintf(out, "  %s: \"", key);
    for (; *text != '\0'; text++)
        fprintf(out, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    fprintf(out, "\"\n");
}

static void write_diagnosis(FILE *out, const struct clause_result *result)
{
    char profiles[PROFILES_TEXT_MAX];
    fprintf(out, "  ---\n");
    write_yaml(out, "verdict", clause_verdict_name(result->verdict));
    write_yaml(out, "strength", strength_name(result->clause->strength));
    write_yaml(out, "profiles", profiles_text(result->profiles, profiles));
    write_yaml(out, "requirement", result->clause->requirement);
    write_yaml(out, "evidence", result->evidence);
    fprintf(out, "  ...\n");
}

static bool is_skipped(enum clause_verdict verdict)
{
    return verdict == CLAUSE_NOT_APPLICABLE || verdict == CLAUSE_UNSUPPORTED ||
           verdict == CLAUSE_UNTESTABLE || verdict == CLAUSE_NOT_RUN;
}

static void write_result(FILE *out, const struct report_column *column,
                         const struct clause_result *result, size_t number)
{
    char name[REPORT_NAME_MAX];
    const char *excuse = report_excuse(column, result);
    report_case_name(column, result, name);
    fprintf(out, "%s %zu - ", report_is_bad(result) ? "not ok" : "ok", number);
    write_description(out, column->name);
    fprintf(out, ": %s", name);
    if (is_skipped(result->verdict))
        fprintf(out, " # SKIP %s: %s", clause_verdict_name(result->verdict), result->evidence);
    else if (excuse != NULL)
        fprintf(out, " # TODO %s", excuse);
    fprintf(out, "\n");
    if (report_is_bad(result))
        write_diagnosis(out, result);
    else if (!is_skipped(result->verdict) && result->evidence[0] != '\0')
        fprintf(out, "# %s: %s\n", clause_verdict_name(result->verdict), result->evidence);
}

int report_write_tap(FILE *out, const struct conform_report *report)
{
    size_t number = 0;
    fprintf(out, "TAP version 13\n1..%zu\n", count_results(report));
    for (size_t i = 0; i < report->count; i++)
        for (size_t j = 0; j < report->columns[i].results.count; j++)
            write_result(out, &report->columns[i], &report->columns[i].results.results[j],
                         ++number);
    report_write_totals(out, report, "# ");
    return 0;
}
