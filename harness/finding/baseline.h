/* SPDX-License-Identifier: MIT */
/*
 * A baseline: findings that are expected, so that an allocator with confirmed defects can be
 * guarded against more. A text file for all commands, one entry a line:
 *
 *     SUBJECT CHECK-OR-CLAUSE SITE-OR-VERDICT [| SENTENCE]  # reason
 *
 *     musl       crash              free | *signal 11*  # alignments of 2^32 corrupt its heap
 *     libx.so*   C23-7.24.3.1-p2-b  fail                # aligned_alloc(0, 64) returns a block
 *
 * SUBJECT (a short name; of an allocator that `mallet list` shows, the name of its file means the
 * same), SITE and SENTENCE are shell patterns. The second word names a check of
 * `mallet replay` or a clause; of a clause the third is the verdict, `fail` or `error`. The reason
 * begins at the first `#` behind a blank. Blank lines and lines that begin with `#` say nothing.
 * Lines may be of any length.
 */
#ifndef HARNESS_BASELINE_H
#define HARNESS_BASELINE_H

#include "harness/finding/finding.h"

enum { BASELINE_ERROR_MAX = 512 };

struct baseline_entry {
    char *subject, *check, *site; /* patterns, but for check */
    char *sentence;               /* a pattern; NULL: any */
    char *reason;                 /* "": none given */
    bool is_met;                  /* it expected a finding since it was read */
};

/* {0}: no entries. */
struct baseline {
    struct baseline_entry *entries;
    size_t count;
};

/* Adds the entries of a file. Returns 0, or a positive errno with one sentence that names the file,
 * and the line if it is one: EINVAL. */
int baseline_read(struct baseline *baseline, const char *path, char error[BASELINE_ERROR_MAX]);
void baseline_done(struct baseline *baseline);

/* Why this finding is expected ("": no reason given), for as long as the baseline lives; NULL: it
 * is not. */
const char *baseline_find(const struct baseline *baseline, const struct finding *finding);
/* How many entries about this subject met no finding: what they expect has been mended, perhaps. */
size_t baseline_stale(const struct baseline *baseline, const char *subject);
/* Whether the entry is about a clause, not about a check. */
bool baseline_is_clause(const struct baseline_entry *entry);

/* Adds an entry that expects the finding, with its sentence as the reason, unless there is one for
 * the same class. Returns 0, or ENOMEM. */
int baseline_add(struct baseline *baseline, const struct finding *finding);
/* Writes the entries sorted. Whether they arrived shows when the caller flushes `out`. */
void baseline_write(FILE *out, struct baseline *baseline);

#endif
