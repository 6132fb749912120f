/* SPDX-License-Identifier: MIT */
/*
 * The terminal table. For one subject it lists what does not hold, the worst first; for several it
 * prints the matrix, then the failures.
 */
#include "conformance/report_formats.h"

#include <string.h>

enum { COLUMN = 18 };

static void write_result(FILE *out, const struct conform_report *report,
                         const struct report_column *column, const struct clause_result *result)
{
    char profiles[PROFILES_TEXT_MAX], path[PATH_MAX];
    const char *known = column->known[result - column->results.results];
    fprintf(out, "%-6s %-24s %-12s %s\n", clause_verdict_name(result->verdict), result->clause->id,
            strength_name(result->clause->strength), profiles_text(result->profiles, profiles));
    fprintf(out, "       %s\n", result->evidence);
    if (known != NULL)
        fprintf(out, "       expected by the baseline%s%s\n", known[0] != '\0' ? ": " : "", known);
    if (report->programs != NULL && report_is_bad(result)) {
        report_program_path(report->programs, column, result, path);
        fprintf(out, "       program: %s\n", path);
    }
}

static void write_results(FILE *out, const struct conform_report *report,
                          const struct report_column *column, enum clause_verdict verdict)
{
    for (size_t i = 0; i < column->results.count; i++)
        if (column->results.results[i].verdict == verdict)
            write_result(out, report, column, &column->results.results[i]);
}

static void write_subject(FILE *out, const struct conform_report *report)
{
    size_t counts[CLAUSE_VERDICT_COUNT];
    const struct report_column *column = &report->columns[0];
    write_results(out, report, column, CLAUSE_ERROR);
    write_results(out, report, column, CLAUSE_FAIL);
    write_results(out, report, column, CLAUSE_WEAK);
    report_count_verdicts(column, report->profiles, counts);
    fprintf(out,
            "%s: %zu recorded, misuse %zu detected, %zu late, %zu silent, %zu not applicable, %zu "
            "unsupported\n",
            column->name, counts[CLAUSE_RECORDED], counts[CLAUSE_DETECTED], counts[CLAUSE_LATE],
            counts[CLAUSE_SILENT], counts[CLAUSE_NOT_APPLICABLE], counts[CLAUSE_UNSUPPORTED]);
}

static void write_matrix(FILE *out, const struct conform_report *report)
{
    char score[REPORT_SCORE_MAX];
    fprintf(out, "%-16s", "");
    for (size_t i = 0; i < report->count; i++)
        fprintf(out, " %-*.*s", COLUMN, COLUMN, report->columns[i].name);
    fprintf(out, "\n");
    for (size_t family = 0; family < report_family_count(); family++) {
        if (!report_has_family(report, family))
            continue;
        fprintf(out, "%-16s", report_family_name(family));
        for (size_t i = 0; i < report->count; i++)
            fprintf(out, " %-*s", COLUMN,
                    report_format_score(report_score_family(&report->columns[i], family), score));
        fprintf(out, "\n");
    }
    fprintf(out, "clauses that hold (hardening: misuse that is noticed) of those with an answer\n");
}

static void write_failures(FILE *out, const struct conform_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        size_t counts[CLAUSE_VERDICT_COUNT];
        report_count_verdicts(&report->columns[i], report->profiles, counts);
        if (counts[CLAUSE_ERROR] + counts[CLAUSE_FAIL] > 0)
            fprintf(out, "\n%s\n", report->columns[i].name);
        write_results(out, report, &report->columns[i], CLAUSE_ERROR);
        write_results(out, report, &report->columns[i], CLAUSE_FAIL);
    }
}

int report_write_table(FILE *out, const struct conform_report *report)
{
    if (report->count == 1) {
        write_subject(out, report);
    } else {
        write_matrix(out, report);
        write_failures(out, report);
        fprintf(out, "\n");
    }
    report_write_totals(out, report, "");
    return 0;
}
