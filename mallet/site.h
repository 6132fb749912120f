/* SPDX-License-Identifier: MIT */
/*
 * The page that `mallet report` writes: everything that it shows is gathered into one JSON object,
 * which is put into a page with its style and scripts (report/), so that one file opens anywhere.
 *
 *   site_gather.c    folders → the documents of other commands, the progress of campaigns
 *   site_trend.c     trend.tsv → numbers over commits
 *   site_coverage.c  lcov data → counts for each file, and their union
 *   site_write.c     the object and the parts of report/ → index.html
 *
 * Functions return 0, or a positive errno with one sentence in `error`.
 */
#ifndef MALLET_SITE_H
#define MALLET_SITE_H

#include <jansson.h>
#include <stddef.h>

enum { SITE_ERROR_MAX = 512 };

struct site {
    size_t files;      /* that were taken */
    const char *lines; /* where coverage stands line by line, for a link; NULL: nowhere */
    json_t *documents; /* [{"file": PATH, "document": {…}, "progress": TEXT}…] */
    json_t *trend;     /* [[DATE, COMMIT, CHART, SERIES, VALUE]…], in the order of the files */
    json_t *coverage;  /* {SOURCE: {FILE: {"lines": {NUMBER: COUNT}, "functions", "branches"}}} */
};

/* Gathers from a folder and all below it. What is not of mallet's making is passed over; a
 * document of mallet's that cannot be read is refused. */
int site_gather(struct site *site, const char *folder, char error[SITE_ERROR_MAX]);
void site_done(struct site *site);

/* Adds an lcov file under the name of its source: `unit` for unit.info. */
int site_add_coverage(struct site *site, const char *path, char error[SITE_ERROR_MAX]);
/* Adds a file of points: ci/trend writes it. */
int site_add_trend(struct site *site, const char *path, char error[SITE_ERROR_MAX]);
/* What the page shows of coverage; NULL: no memory. */
json_t *site_sum_coverage(const struct site *site);

/* Writes folder/index.html, and makes the folder. */
int site_write(const struct site *site, const char *folder, char error[SITE_ERROR_MAX]);
/* All of it for one folder that describes itself. */
int site_write_beside(const char *folder, char error[SITE_ERROR_MAX]);

#endif
