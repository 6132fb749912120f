/* SPDX-License-Identifier: MIT */
/*
 * Failures that are expected: with a baseline the gate fails for new ones only, so that an
 * allocator with confirmed divergences can be guarded against more. A text file, one entry a line:
 *
 *     SUBJECT CLAUSE VERDICT  # reason
 *
 * SUBJECT is a shell pattern of the subject's short name, VERDICT `fail` or `error`. Blank lines
 * and lines that begin with `#` say nothing.
 */
#ifndef CONFORMANCE_BASELINE_H
#define CONFORMANCE_BASELINE_H

#include "conformance/report_formats.h"

enum { BASELINE_ERROR_MAX = 512, BASELINE_NEWS_MAX = 256 };

struct baseline_entry {
    char subject[128], clause[64];
    enum clause_verdict verdict;
    char *reason; /* "": none given */
};

struct baseline {
    struct baseline_entry *entries;
    size_t count;
};

/* Returns 0, or a positive errno with one sentence that names the file, and the line if it is one:
 * EINVAL. baseline_done frees either way. */
int baseline_read(struct baseline *ret_baseline, const char *path, char error[BASELINE_ERROR_MAX]);
void baseline_done(struct baseline *baseline);

/* Why this failure is expected ("": no reason given), for as long as the baseline lives; NULL: it
 * is not. */
const char *baseline_find(const struct baseline *baseline, const char *subject,
                          const struct clause_result *result);

/* Whether an entry expects a failure that no subject of the report has any more; then ret_news says
 * so in one sentence. Entries about subjects or clauses that the report does not cover are not
 * judged. */
bool baseline_is_outdated(const struct baseline_entry *entry, const struct conform_report *report,
                          char ret_news[BASELINE_NEWS_MAX]);

/* Writes every failure of the report as an entry, sorted, with its evidence as the reason. Returns
 * 0, or ENOMEM. */
int baseline_write(FILE *out, const struct conform_report *report);

#endif
