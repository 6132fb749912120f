/* SPDX-License-Identifier: MIT */
/*
 * The terminal table. For one subject it lists what does not hold, the worst first; for several it
 * prints the matrix, then the failures.
 */
#include "conformance/report_formats.h"

#include <string.h>

enum { COLUMN = 18 };

/* Whether two results are one line: one probe answers both clauses in the same words. */
static bool is_same(const struct clause_result *left, const struct clause_result *right)
{
    return left->probe != NULL && left->probe == right->probe && left->verdict == right->verdict &&
           left->counts == right->counts && strcmp(left->evidence, right->evidence) == 0;
}

static void write_names(FILE *out, const struct report_column *column,
                        const struct clause_result *result)
{
    char profiles[PROFILES_TEXT_MAX];
    const struct clause_result *end = column->results.results + column->results.count;
    fprintf(out, "%-6s %-24s %-12s %s\n", clause_verdict_name(result->verdict), result->clause->id,
            strength_name(result->clause->strength), profiles_text(result->profiles, profiles));
    for (const struct clause_result *other = result + 1; other < end; other++)
        if (is_same(result, other))
            fprintf(out, "       %-24s %-12s %s\n", other->clause->id,
                    strength_name(other->clause->strength),
                    profiles_text(other->profiles, profiles));
}

static void write_result(FILE *out, const struct conform_report *report,
                         const struct report_column *column, const struct clause_result *result)
{
    char path[PATH_MAX];
    const char *known = column->known[result - column->results.results];
    write_names(out, column, result);
    fprintf(out, "       %s\n", result->evidence);
    if (known != NULL)
        fprintf(out, "       expected by the baseline%s%s\n", known[0] != '\0' ? ": " : "", known);
    if (report->programs != NULL && report_is_bad(result)) {
        report_program_path(report->programs, column, result, path);
        fprintf(out, "       program: %s\n", path);
    }
    fprintf(out, "       more: mallet clauses %s\n", result->clause->id);
}

static bool is_first(const struct report_column *column, const struct clause_result *result)
{
    for (const struct clause_result *other = column->results.results; other < result; other++)
        if (is_same(other, result))
            return false;
    return true;
}

/* Returns how many there are. */
static size_t write_results(FILE *out, const struct conform_report *report,
                            const struct report_column *column, enum clause_verdict verdict,
                            bool counts)
{
    size_t count = 0;
    for (size_t i = 0; i < column->results.count; i++) {
        const struct clause_result *result = &column->results.results[i];
        if (result->verdict != verdict || result->counts != counts)
            continue;
        count++;
        if (is_first(column, result))
            write_result(out, report, column, result);
    }
    return count;
}

/* What fails the gate first. */
static void write_bad(FILE *out, const struct conform_report *report,
                      const struct report_column *column)
{
    write_results(out, report, column, CLAUSE_ERROR, true);
    write_results(out, report, column, CLAUSE_FAIL, true);
    size_t others = write_results(out, report, column, CLAUSE_FAIL, false);
    char number[32];
    snprintf(number, sizeof number, "%zu failures", others);
    if (others > 0)
        fprintf(out,
                "The last %s do%s not count: not all editions of C or POSIX require that.\n"
                "Under --profile c17, c23, posix-2017, posix-2024 or glibc every failure counts.\n",
                others == 1 ? "failure" : number, others == 1 ? "es" : "");
}

/* The first result stands for all: most of them have one reason. */
static void write_not_run(FILE *out, const struct report_column *column, size_t count)
{
    size_t i = 0;
    while (column->results.results[i].verdict != CLAUSE_NOT_RUN)
        i++;
    fprintf(out, "%s: %zu not run: %s\n", column->name, count, column->results.results[i].evidence);
}

static void write_subject(FILE *out, const struct conform_report *report)
{
    size_t counts[CLAUSE_VERDICT_COUNT];
    const struct report_column *column = &report->columns[0];
    write_bad(out, report, column);
    write_results(out, report, column, CLAUSE_WEAK, false);
    report_count_verdicts(column, report->profiles, counts);
    fprintf(out,
            "%s: %zu recorded; of misuse %zu detected, %zu late, %zu silent; %zu not applicable, "
            "%zu unsupported\n",
            column->name, counts[CLAUSE_RECORDED], counts[CLAUSE_DETECTED], counts[CLAUSE_LATE],
            counts[CLAUSE_SILENT], counts[CLAUSE_NOT_APPLICABLE], counts[CLAUSE_UNSUPPORTED]);
    if (counts[CLAUSE_NOT_RUN] > 0)
        write_not_run(out, column, counts[CLAUSE_NOT_RUN]);
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
        write_bad(out, report, &report->columns[i]);
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
