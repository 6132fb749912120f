/* SPDX-License-Identifier: MIT */
/*
 * A rubric: what a submission gets points for, as a text file.
 *
 *     # a comment
 *     title First malloc
 *     file mm.c                            of a submission that is a folder
 *     options --quick --lab malloclab      for `mallet check`
 *     limit 60s                            for one submission; more on a busy machine
 *     points 10 builds                     it could be checked at all
 *     points 20 content overlap zeroed     none of these checks found anything
 *     points 10 C23-7.24.3.7*              none of these clauses failed
 */
#ifndef MALLET_RUBRIC_H
#define MALLET_RUBRIC_H

#include <stdbool.h>
#include <stddef.h>

enum { RUBRIC_CRITERIA_MAX = 64, RUBRIC_WORDS_MAX = 24, RUBRIC_ERROR_MAX = 512 };

struct rubric_words {
    char *list[RUBRIC_WORDS_MAX + 1]; /* NULL last */
    size_t count;
};

struct rubric_criterion {
    unsigned points;
    struct rubric_words names; /* checks, patterns of clauses; or "builds" alone */
};

struct rubric {
    char *text;               /* the file, cut into the words below */
    const char *title, *file; /* "", NULL: none */
    struct rubric_words options;
    unsigned limit; /* seconds on an idle machine */
    struct rubric_criterion criteria[RUBRIC_CRITERIA_MAX];
    size_t count;
    unsigned points; /* of all criteria */
};

/* Returns 0, or a positive errno with one sentence that names the file, and the line if it is
 * one. */
int rubric_read(struct rubric *ret_rubric, const char *path, char error[RUBRIC_ERROR_MAX]);
void rubric_done(struct rubric *rubric);

bool rubric_is_build(const struct rubric_criterion *criterion);
/* Whether nothing is known of a criterion without one of the steps of `mallet check`: "pass", where
 * it names a check, or "clauses". */
bool rubric_needs(const struct rubric_criterion *criterion, const char *step);
/* Whether a finding of this check or clause loses the points. */
bool rubric_has(const struct rubric_criterion *criterion, const char *name);

#endif
