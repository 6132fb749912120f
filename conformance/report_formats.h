/* SPDX-License-Identifier: MIT */
/*
 * Results of the gate in the forms that people and other programs read. Each format is a file
 * report_<format>.c with one function; the table in report_formats.c names them. What they share
 * (counting, families, names of cases) is report_count.c and report_family.c.
 *
 * A report is a table: a row for each selected clause, a column for each subject. Writers only
 * write to the stream they are given; a failed write shows when the caller flushes it. Evidence is
 * printable ASCII already (gate.h).
 */
#ifndef CONFORMANCE_REPORT_FORMATS_H
#define CONFORMANCE_REPORT_FORMATS_H

#include "conformance/gate.h"
#include "harness/finding/baseline.h"

#include <stdio.h>

/* One subject. Two columns of a report never have the same name. */
struct report_column {
    const char *name;
    const char *compile_option; /* of its programs, see subject_plan_compile_option; NULL: none */
    struct gate_results results;
    /* One a result: why a baseline expects this failure ("" if it does not say); NULL: it is not
     * expected. */
    const char **known;
};

struct conform_report {
    const struct report_column *columns;
    size_t count;
    unsigned profiles;   /* bit i: enum profile; those selected */
    size_t run, minimum; /* clauses whose probes ran on every subject, and the least that should */
    bool is_interrupted;
    const char *programs; /* the folder with a C program for each failure; NULL: none are written */
};

struct conform_format {
    const char *name;
    /* Returns 0, or a positive errno if the report could not be made. */
    int (*write)(FILE *out, const struct conform_report *report);
};

/* NULL beyond the last, and NULL if there is no such format. */
const struct conform_format *conform_format_at(size_t i);
const struct conform_format *conform_format_find(const char *name);

int report_write_table(FILE *out, const struct conform_report *report);
int report_write_tap(FILE *out, const struct conform_report *report);
int report_write_junit(FILE *out, const struct conform_report *report);
int report_write_json(FILE *out, const struct conform_report *report);
int report_write_sarif(FILE *out, const struct conform_report *report);
int report_write_markdown(FILE *out, const struct conform_report *report);
int report_write_html(FILE *out, const struct conform_report *report);

/* Fail or error, expected or not. */
bool report_is_bad(const struct clause_result *result);
/* Why a bad result does not make the gate fail: half a sentence, from a baseline, or because it
 * does not count (gate.h); NULL: it does. */
const char *report_excuse(const struct report_column *column, const struct clause_result *result);
/* A bad result without an excuse: what makes the gate fail. */
bool report_is_new(const struct report_column *column, const struct clause_result *result);
/* A failure as a finding: the clause is its check, the verdict its site. */
void report_make_finding(struct finding *ret_finding, const char *subject,
                         const struct clause_result *result);
/* Whether an entry expects a failure that no subject of the report has any more; then ret_news says
 * so in one sentence. Entries about subjects or clauses that the report does not cover, or about
 * checks, are not judged. */
enum { REPORT_NEWS_MAX = 512 };
bool report_is_outdated(const struct conform_report *report, const struct baseline_entry *entry,
                        char ret_news[REPORT_NEWS_MAX]);
/* The order to read verdicts in: error, fail, weak, silent, …; smaller is worse. */
unsigned report_rank(enum clause_verdict verdict);

/* The results of one clause are neighbours. Returns the first of them and how many there are, at
 * most two; NULL: this column has none. */
const struct clause_result *report_results_of(const struct report_column *column,
                                              const struct clause *clause, size_t *ret_count);
/* The clause's id; with the profiles in brackets where the clause has two results, so that names
 * stay unique. */
enum { REPORT_NAME_MAX = 160 };
void report_case_name(const struct report_column *column, const struct clause_result *result,
                      char ret_name[REPORT_NAME_MAX]);
/* Where the program for a failure is, or belongs: FOLDER/SUBJECT-CLAUSE.c. */
void report_program_path(const char *folder, const struct report_column *column,
                         const struct clause_result *result, char ret_path[PATH_MAX]);
/* The text of the program, to be freed; NULL if there is none. */
char *report_make_program(const struct report_column *column, const struct clause_result *result);

struct report_totals {
    size_t clauses, testable, tested, untestable;
};
/* Of the whole registry; tested: some subject of this report gave an answer. */
struct report_totals report_count_totals(const struct conform_report *report);
/* Results by verdict that hold in any of the profiles. */
void report_count_verdicts(const struct report_column *column, unsigned profiles,
                           size_t ret_counts[CLAUSE_VERDICT_COUNT]);
/* "103 pass, 1 fail, 2 weak": pass and fail always, the rest where it is not 0. Returns
 * ret_text. */
enum { REPORT_COUNTS_MAX = 256 };
const char *report_format_counts(const size_t counts[CLAUSE_VERDICT_COUNT],
                                 char ret_text[REPORT_COUNTS_MAX]);
/* What every run prints: the totals, then a line for each subject and selected profile; each line
 * begins with prefix. */
void report_write_totals(FILE *out, const struct conform_report *report, const char *prefix);

/* Clauses that belong together in a matrix, by the functions that they are about. */
size_t report_family_count(void);
const char *report_family_name(size_t family);
size_t report_family_of(const struct clause *clause);

/* "12/13": clauses of a family that hold (hardening: that notice misuse) of those that gave an
 * answer either way; "-": none did. Returns ret_text. */
enum { REPORT_SCORE_MAX = 32 };
struct report_score {
    size_t good, all;
};
struct report_score report_score_family(const struct report_column *column, size_t family);
const char *report_format_score(struct report_score score, char ret_text[REPORT_SCORE_MAX]);
/* Whether any column has the clause, or one of the family. */
bool report_has_clause(const struct conform_report *report, const struct clause *clause);
bool report_has_family(const struct conform_report *report, size_t family);

#endif
