/* SPDX-License-Identifier: MIT */
/*
 * Markdown for a README or a review comment: a matrix of families by subjects, then every clause,
 * then the evidence of everything that does not hold.
 */
#include "conformance/report_formats.h"

#include <string.h>

/* Text in a cell: what means something in Markdown or would end the cell is quoted. */
static void write_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        fprintf(out, strchr("|\\`*_<>[]~#", *text) != NULL ? "\\%c" : "%c", *text);
}

static void write_heading(FILE *out, const struct conform_report *report, const char *first)
{
    fprintf(out, "| %s |", first);
    for (size_t i = 0; i < report->count; i++) {
        fprintf(out, " ");
        write_text(out, report->columns[i].name);
        fprintf(out, " |");
    }
    fprintf(out, "\n|---|");
    for (size_t i = 0; i < report->count; i++)
        fprintf(out, "---|");
    fprintf(out, "\n");
}

static void write_families(FILE *out, const struct conform_report *report)
{
    char score[REPORT_SCORE_MAX];
    write_heading(out, report, "family");
    for (size_t family = 0; family < report_family_count(); family++) {
        if (!report_has_family(report, family))
            continue;
        fprintf(out, "| ");
        write_text(out, report_family_name(family));
        fprintf(out, " |");
        for (size_t i = 0; i < report->count; i++)
            fprintf(out, " %s |",
                    report_format_score(report_score_family(&report->columns[i], family), score));
        fprintf(out, "\n");
    }
    fprintf(out,
            "\nClauses that hold (hardening: misuse that is noticed) of those with an answer.\n");
}

static void write_cell(FILE *out, const struct report_column *column, const struct clause *clause)
{
    size_t count;
    char profiles[PROFILES_TEXT_MAX];
    const struct clause_result *results = report_results_of(column, clause, &count);
    for (size_t i = 0; i < count; i++) {
        const char *name = clause_verdict_name(results[i].verdict);
        bool is_loud = report_is_bad(&results[i]);
        fprintf(out, "%s%s%s%s%s", i > 0 ? ", " : " ", is_loud ? "**" : "", name,
                is_loud ? "**" : "",
                report_excuse(column, &results[i]) != NULL ? " (expected)" : "");
        if (count > 1)
            fprintf(out, " in %s", profiles_text(results[i].profiles, profiles));
    }
    fprintf(out, " |");
}

static void write_clauses(FILE *out, const struct conform_report *report)
{
    write_heading(out, report, "clause");
    for (size_t i = 0; i < clauses_count(); i++) {
        if (!report_has_clause(report, clauses_at(i)))
            continue;
        fprintf(out, "| %s |", clauses_at(i)->id);
        for (size_t j = 0; j < report->count; j++)
            write_cell(out, &report->columns[j], clauses_at(i));
        fprintf(out, "\n");
    }
}

static void write_evidence(FILE *out, const struct report_column *column)
{
    char profiles[PROFILES_TEXT_MAX];
    for (size_t i = 0; i < column->results.count; i++) {
        const struct clause_result *result = &column->results.results[i];
        if (!report_is_bad(result) && result->verdict != CLAUSE_WEAK)
            continue;
        fprintf(out, "- **");
        write_text(out, column->name);
        fprintf(out, "** %s %s (%s, %s): ", clause_verdict_name(result->verdict),
                result->clause->id, strength_name(result->clause->strength),
                profiles_text(result->profiles, profiles));
        write_text(out, result->evidence);
        fprintf(out, "\n");
    }
}

int report_write_markdown(FILE *out, const struct conform_report *report)
{
    fprintf(out, "# Conformance\n\n");
    report_write_totals(out, report, "- ");
    fprintf(out, "\n## Families\n\n");
    write_families(out, report);
    fprintf(out, "\n## Clauses\n\n");
    write_clauses(out, report);
    fprintf(out, "\n## What does not hold\n\n");
    for (size_t i = 0; i < report->count; i++)
        write_evidence(out, &report->columns[i]);
    return 0;
}
