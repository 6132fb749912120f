/* SPDX-License-Identifier: MIT */
/*
 * One HTML page without external resources: totals, a filter by profile, the matrix (clauses in
 * families, by subjects), and the evidence below it. Each cell links to its evidence. A failure
 * also contains its C program.
 */
#include "conformance/report_html.h"

#include "conformance/report_formats.h"

#include <stdlib.h>

static void write_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc(*text, out);
        }
}

static void write_element(FILE *out, const char *open, const char *text, const char *close)
{
    fputs(open, out);
    write_text(out, text);
    fputs(close, out);
}

static const char *badge_class(enum clause_verdict verdict)
{
    switch (verdict) {
    case CLAUSE_PASS:
    case CLAUSE_DETECTED:
        return "good";
    case CLAUSE_FAIL:
    case CLAUSE_ERROR:
        return "poor";
    default:
        return "open";
    }
}

static void write_anchor(FILE *out, const struct conform_report *report,
                         const struct report_column *column, const struct clause_result *result)
{
    fprintf(out, "s%zu-%s-%u", (size_t)(column - report->columns), result->clause->id,
            result->profiles);
}

static void write_badge(FILE *out, const struct conform_report *report,
                        const struct report_column *column, const struct clause_result *result)
{
    char profiles[PROFILES_TEXT_MAX];
    const char *name = clause_verdict_name(result->verdict);
    const char *element = result->evidence[0] != '\0' ? "a" : "span";
    fprintf(out, "<%s class=\"badge %s %s\" data-of=\"%s\"", element, name,
            badge_class(result->verdict), profiles_text(result->profiles, profiles));
    if (result->evidence[0] != '\0') {
        fprintf(out, " href=\"#");
        write_anchor(out, report, column, result);
        fprintf(out, "\"");
    }
    fprintf(out, ">%s%s</%s> ", name, report_excuse(column, result) != NULL ? ", expected" : "",
            element);
}

static void write_clause(FILE *out, const struct conform_report *report,
                         const struct clause *clause)
{
    char profiles[PROFILES_TEXT_MAX];
    fprintf(out,
            "<tr class=\"clause\" data-of=\"%s\"><th scope=\"row\"><code>%s</code> <span "
            "class=\"quiet\">%s</span>",
            profiles_text(clause->profiles, profiles), clause->id, strength_name(clause->strength));
    write_element(out, "<span class=\"what\">", clause->requirement, "</span></th>");
    for (size_t i = 0; i < report->count; i++) {
        size_t count;
        const struct clause_result *results =
            report_results_of(&report->columns[i], clause, &count);
        fprintf(out, "<td>");
        for (size_t j = 0; j < count; j++)
            write_badge(out, report, &report->columns[i], &results[j]);
        fprintf(out, "</td>");
    }
    fprintf(out, "</tr>\n");
}

static void write_family(FILE *out, const struct conform_report *report, size_t family)
{
    char score[REPORT_SCORE_MAX];
    write_element(out, "<tbody class=\"family\">\n<tr class=\"family\"><th scope=\"rowgroup\">",
                  report_family_name(family), "</th>");
    for (size_t i = 0; i < report->count; i++)
        fprintf(out, "<td>%s</td>",
                report_format_score(report_score_family(&report->columns[i], family), score));
    fprintf(out, "</tr>\n");
    for (size_t i = 0; i < clauses_count(); i++)
        if (report_family_of(clauses_at(i)) == family && report_has_clause(report, clauses_at(i)))
            write_clause(out, report, clauses_at(i));
    fprintf(out, "</tbody>\n");
}

static void write_matrix(FILE *out, const struct conform_report *report)
{
    fprintf(out, "<h2>Matrix</h2>\n<p class=\"quiet\">Beside a family: clauses that hold "
                 "(hardening: misuse that is noticed) of those with "
                 "an answer.</p>\n<div class=\"scroll\"><table class=\"matrix\">\n<thead><tr><th "
                 "scope=\"col\">clause</th>");
    for (size_t i = 0; i < report->count; i++)
        write_element(out, "<th scope=\"col\">", report->columns[i].name, "</th>");
    fprintf(out, "</tr></thead>\n");
    for (size_t family = 0; family < report_family_count(); family++)
        if (report_has_family(report, family))
            write_family(out, report, family);
    fprintf(out, "</table></div>\n");
}

static void write_filter(FILE *out, const struct conform_report *report)
{
    fprintf(out, "<fieldset hidden><legend>Profile</legend><label><input type=\"radio\" "
                 "name=\"profile\" value=\"\" checked> all</label>\n");
    for (unsigned i = 0; i < PROFILE_COUNT; i++)
        if (report->profiles >> i & 1)
            fprintf(out, "<label><input type=\"radio\" name=\"profile\" value=\"%s\"> %s</label>\n",
                    profile_name((enum profile)i), profile_name((enum profile)i));
    fprintf(out, "</fieldset>\n");
}

static void write_legend(FILE *out)
{
    fprintf(out, "<details><summary>What the words mean</summary><dl class=\"legend\">\n");
    for (unsigned i = 0; i < CLAUSE_VERDICT_COUNT; i++) {
        enum clause_verdict verdict = (enum clause_verdict)i;
        fprintf(out, "<dt><span class=\"badge %s %s\">%s</span></dt><dd>%s</dd>\n",
                clause_verdict_name(verdict), badge_class(verdict), clause_verdict_name(verdict),
                clause_verdict_meaning(verdict));
    }
    for (unsigned i = 0; i < STRENGTH_COUNT; i++)
        fprintf(out, "<dt>%s</dt><dd>%s</dd>\n", strength_name((enum strength)i),
                strength_meaning((enum strength)i));
    fprintf(out, "</dl></details>\n");
}

static void write_totals(FILE *out, const struct conform_report *report)
{
    char text[REPORT_COUNTS_MAX];
    size_t counts[CLAUSE_VERDICT_COUNT];
    struct report_totals totals = report_count_totals(report);
    fprintf(out,
            "<p>%zu clauses: %zu testable, %zu tested, %zu not testable at run time.</p>\n<ul>\n",
            totals.clauses, totals.testable, totals.tested, totals.untestable);
    for (size_t i = 0; i < report->count; i++) {
        report_count_verdicts(&report->columns[i], report->profiles, counts);
        write_element(out, "<li><strong>", report->columns[i].name, "</strong>: ");
        fprintf(out, "%s</li>\n", report_format_counts(counts, text));
    }
    fprintf(out, "</ul>\n");
}

static void write_counts(FILE *out, const struct report_column *column, enum profile profile)
{
    char text[REPORT_COUNTS_MAX];
    size_t counts[CLAUSE_VERDICT_COUNT];
    report_count_verdicts(column, 1u << profile, counts);
    fprintf(out, "<tr class=\"profile\" data-of=\"%s\">", profile_name(profile));
    write_element(out, "<td>", column->name, "</td>");
    fprintf(out, "<td>%s</td><td>%s</td></tr>\n", profile_name(profile),
            report_format_counts(counts, text));
}

static void write_all_counts(FILE *out, const struct conform_report *report)
{
    fprintf(
        out,
        "<h2>Counts by profile</h2>\n<div "
        "class=\"scroll\"><table><thead><tr><th>subject</th><th>profile</th><th>results</th></tr>"
        "</thead><tbody>\n");
    for (size_t i = 0; i < report->count; i++)
        for (unsigned profile = 0; profile < PROFILE_COUNT; profile++)
            if (report->profiles >> profile & 1)
                write_counts(out, &report->columns[i], (enum profile)profile);
    fprintf(out, "</tbody></table></div>\n");
}

static void write_program(FILE *out, const struct report_column *column,
                          const struct clause_result *result)
{
    char *program = report_is_bad(result) || result->verdict == CLAUSE_WEAK
                        ? report_make_program(column, result)
                        : NULL;
    if (program != NULL)
        write_element(out, "<details><summary>C program that shows it</summary><pre>", program,
                      "</pre></details>\n");
    free(program);
}

static void write_evidence(FILE *out, const struct conform_report *report,
                           const struct report_column *column, const struct clause_result *result)
{
    char profiles[PROFILES_TEXT_MAX];
    const char *excuse = report_excuse(column, result);
    fprintf(out, "<article id=\"");
    write_anchor(out, report, column, result);
    fprintf(out,
            "\" data-of=\"%s\"><h3><code>%s</code> <span class=\"badge %s %s\">%s</span></h3>\n",
            profiles_text(result->profiles, profiles), result->clause->id,
            clause_verdict_name(result->verdict), badge_class(result->verdict),
            clause_verdict_name(result->verdict));
    fprintf(out, "<p class=\"quiet\">%s in %s: ", strength_name(result->clause->strength),
            profiles);
    write_element(out, "", result->clause->requirement, "</p>\n");
    write_element(out, "<p>", result->evidence, "</p>\n");
    if (result->clause->why[0] != '\0')
        write_element(out, "<p class=\"quiet\">Why it matters: ", result->clause->why, "</p>\n");
    if (excuse != NULL)
        write_element(out, "<p>Does not fail the gate: ", excuse, "</p>\n");
    write_program(out, column, result);
    fprintf(out, "</article>\n");
}

/* What to read first comes first: by verdict, in the registry's order within. */
static void write_all_evidence(FILE *out, const struct conform_report *report,
                               const struct report_column *column)
{
    write_element(out, "<h2>Evidence: ", column->name, "</h2>\n");
    for (unsigned rank = 0; rank < CLAUSE_VERDICT_COUNT; rank++)
        for (size_t i = 0; i < column->results.count; i++) {
            const struct clause_result *result = &column->results.results[i];
            if (report_rank(result->verdict) == rank && result->evidence[0] != '\0')
                write_evidence(out, report, column, result);
        }
}

int report_write_html(FILE *out, const struct conform_report *report)
{
    fprintf(out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, "
            "initial-scale=1\">\n<title>Conformance</title>\n<style>\n%s</style>\n"
            "</head>\n<body>\n<h1>Conformance</h1>\n",
            report_html_style);
    write_totals(out, report);
    write_legend(out);
    write_filter(out, report);
    write_matrix(out, report);
    write_all_counts(out, report);
    for (size_t i = 0; i < report->count; i++)
        write_all_evidence(out, report, &report->columns[i]);
    fprintf(out, "<script>\n%s</script>\n</body>\n</html>\n", report_html_script);
    return 0;
}
