/* SPDX-License-Identifier: MIT */
/*
 * Output files that are whole or not there: a regular file is written under a temporary name beside
 * its own, and renamed when every byte has arrived. Standard output and devices are written
 * directly.
 */
#ifndef MALLET_OUTPUT_H
#define MALLET_OUTPUT_H

#include <limits.h>
#include <stdio.h>

enum { OUTPUT_ERROR_MAX = 256 };

struct output {
    FILE *file;               /* write here */
    const char *path;         /* as given; must outlive the output */
    char temporary[PATH_MAX]; /* "" when written directly */
};

/* path NULL or "-": standard output. Both return 0, or a positive errno with one sentence in
 * `error`; close also after a failed write. */
int output_open(struct output *ret_output, const char *path, char error[OUTPUT_ERROR_MAX]);
int output_close(struct output *output, char error[OUTPUT_ERROR_MAX]);

/* Returns 0 if all that was ever written to file has arrived, or a positive errno. */
int output_flush(FILE *file);

#endif
