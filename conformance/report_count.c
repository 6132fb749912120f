/* SPDX-License-Identifier: MIT */
/* What all formats share: the rank of a verdict, names of test cases, counts and scores. */
#include "conformance/report_formats.h"

#include <string.h>

/* What to read first comes first. */
static const unsigned char ranks[CLAUSE_VERDICT_COUNT] = {
    [CLAUSE_ERROR] = 0,          [CLAUSE_FAIL] = 1,        [CLAUSE_WEAK] = 2,
    [CLAUSE_SILENT] = 3,         [CLAUSE_LATE] = 4,        [CLAUSE_DETECTED] = 5,
    [CLAUSE_NOT_RUN] = 6,        [CLAUSE_RECORDED] = 7,    [CLAUSE_UNSUPPORTED] = 8,
    [CLAUSE_NOT_APPLICABLE] = 9, [CLAUSE_UNTESTABLE] = 10, [CLAUSE_PASS] = 11};

unsigned report_rank(enum clause_verdict verdict)
{
    return ranks[verdict];
}

bool report_is_bad(const struct clause_result *result)
{
    return result->verdict == CLAUSE_FAIL || result->verdict == CLAUSE_ERROR;
}

const char *report_excuse(const struct report_column *column, const struct clause_result *result)
{
    const char *known = column->known[result - column->results.results];
    if (!report_is_bad(result))
        return NULL;
    if (known != NULL)
        return known[0] != '\0' ? known : "in the baseline";
    return result->counts ? NULL : "editions differ: it counts under --profile only";
}

bool report_is_new(const struct report_column *column, const struct clause_result *result)
{
    return report_is_bad(result) && report_excuse(column, result) == NULL;
}

const struct clause_result *report_results_of(const struct report_column *column,
                                              const struct clause *clause, size_t *ret_count)
{
    const struct clause_result *first = NULL;
    *ret_count = 0;
    for (size_t i = 0; i < column->results.count; i++) {
        const struct clause_result *result = &column->results.results[i];
        if (result->clause == clause && (*ret_count)++ == 0)
            first = result;
    }
    return first;
}

void report_case_name(const struct report_column *column, const struct clause_result *result,
                      char ret_name[REPORT_NAME_MAX])
{
    size_t count;
    char profiles[PROFILES_TEXT_MAX];
    report_results_of(column, result->clause, &count);
    if (count > 1)
        snprintf(ret_name, REPORT_NAME_MAX, "%s (%s)", result->clause->id,
                 profiles_text(result->profiles, profiles));
    else
        snprintf(ret_name, REPORT_NAME_MAX, "%s", result->clause->id);
}

/* Whether the clause was put to some subject and answered. */
static bool is_tested(const struct conform_report *report, const struct clause *clause)
{
    for (size_t i = 0; i < report->count; i++) {
        size_t count;
        const struct clause_result *result = report_results_of(&report->columns[i], clause, &count);
        if (count > 0 && result->verdict != CLAUSE_UNTESTABLE &&
            result->verdict != CLAUSE_UNSUPPORTED && result->verdict != CLAUSE_NOT_RUN &&
            result->verdict != CLAUSE_NOT_APPLICABLE)
            return true;
    }
    return false;
}

struct report_totals report_count_totals(const struct conform_report *report)
{
    struct report_totals totals = {.clauses = clauses_count()};
    for (size_t i = 0; i < totals.clauses; i++) {
        bool is_testable = clauses_at(i)->untestable[0] == '\0';
        totals.testable += is_testable;
        totals.untestable += !is_testable;
        totals.tested += is_tested(report, clauses_at(i));
    }
    return totals;
}

void report_count_verdicts(const struct report_column *column, unsigned profiles,
                           size_t ret_counts[CLAUSE_VERDICT_COUNT])
{
    memset(ret_counts, 0, CLAUSE_VERDICT_COUNT * sizeof *ret_counts);
    for (size_t i = 0; i < column->results.count; i++)
        if ((column->results.results[i].profiles & profiles) != 0)
            ret_counts[column->results.results[i].verdict]++;
}

const char *report_format_counts(const size_t counts[CLAUSE_VERDICT_COUNT],
                                 char ret_text[REPORT_COUNTS_MAX])
{
    size_t used = 0;
    ret_text[0] = '\0';
    for (unsigned i = 0; i < CLAUSE_VERDICT_COUNT; i++)
        if (counts[i] > 0 || i == CLAUSE_PASS || i == CLAUSE_FAIL)
            used += (size_t)snprintf(ret_text + used, REPORT_COUNTS_MAX - used, "%s%zu %s",
                                     used > 0 ? ", " : "", counts[i],
                                     clause_verdict_name((enum clause_verdict)i));
    return ret_text;
}

void report_write_totals(FILE *out, const struct conform_report *report, const char *prefix)
{
    char text[REPORT_COUNTS_MAX];
    size_t counts[CLAUSE_VERDICT_COUNT];
    struct report_totals totals = report_count_totals(report);
    fprintf(out,
            "%s%zu clauses: %zu testable, %zu tested, %zu not testable at run time (mallet clauses "
            "--untestable says why)\n",
            prefix, totals.clauses, totals.testable, totals.tested, totals.untestable);
    for (size_t i = 0; i < report->count; i++)
        for (unsigned profile = 0; profile < PROFILE_COUNT; profile++) {
            if ((report->profiles >> profile & 1) == 0)
                continue;
            report_count_verdicts(&report->columns[i], 1u << profile, counts);
            fprintf(out, "%s%s, %s: %s\n", prefix, report->columns[i].name,
                    profile_name((enum profile)profile), report_format_counts(counts, text));
        }
}

/* Good and all of one clause: its worst result counts. */
static struct report_score score_clause(const struct report_column *column,
                                        const struct clause *clause)
{
    size_t count;
    const struct clause_result *results = report_results_of(column, clause, &count);
    enum clause_verdict worst = CLAUSE_PASS;
    for (size_t i = 0; i < count; i++)
        if (ranks[results[i].verdict] < ranks[worst])
            worst = results[i].verdict;
    bool is_good =
        count > 0 && (worst == CLAUSE_PASS || worst == CLAUSE_DETECTED || worst == CLAUSE_LATE);
    bool is_poor = worst == CLAUSE_FAIL || worst == CLAUSE_WEAK || worst == CLAUSE_ERROR ||
                   worst == CLAUSE_SILENT;
    return (struct report_score){.good = is_good, .all = is_good || is_poor};
}

struct report_score report_score_family(const struct report_column *column, size_t family)
{
    struct report_score sum = {0};
    for (size_t i = 0; i < clauses_count(); i++) {
        if (report_family_of(clauses_at(i)) != family)
            continue;
        struct report_score score = score_clause(column, clauses_at(i));
        sum.good += score.good;
        sum.all += score.all;
    }
    return sum;
}

const char *report_format_score(struct report_score score, char ret_text[REPORT_SCORE_MAX])
{
    if (score.all == 0)
        snprintf(ret_text, REPORT_SCORE_MAX, "-");
    else
        snprintf(ret_text, REPORT_SCORE_MAX, "%zu/%zu", score.good, score.all);
    return ret_text;
}

bool report_has_clause(const struct conform_report *report, const struct clause *clause)
{
    size_t count = 0;
    for (size_t i = 0; i < report->count && count == 0; i++)
        report_results_of(&report->columns[i], clause, &count);
    return count > 0;
}

bool report_has_family(const struct conform_report *report, size_t family)
{
    for (size_t i = 0; i < report->count; i++)
        for (size_t j = 0; j < report->columns[i].results.count; j++)
            if (report_family_of(report->columns[i].results.results[j].clause) == family)
                return true;
    return false;
}
