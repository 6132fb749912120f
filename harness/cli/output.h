/* SPDX-License-Identifier: MIT */
/*
 * Output files that are complete or absent: a regular file is written under a temporary name beside
 * its own, and renamed when every byte has arrived. Standard output and devices are written
 * directly. Functions that take `error` return 0, or a positive errno with one sentence that names
 * the path.
 */
#ifndef HARNESS_CLI_OUTPUT_H
#define HARNESS_CLI_OUTPUT_H

#include <limits.h>
#include <stdio.h>

enum { OUTPUT_ERROR_MAX = 256 };

struct output {
    FILE *file;               /* write here */
    const char *path;         /* as given; must outlive the output */
    char temporary[PATH_MAX]; /* "" when written directly */
};

/* path NULL or "-": standard output. An open output ends with output_close, also after a failed
 * write, or with output_drop, which leaves nothing behind. */
int output_open(struct output *ret_output, const char *path, char error[OUTPUT_ERROR_MAX]);
int output_close(struct output *output, char error[OUTPUT_ERROR_MAX]);
void output_drop(struct output *output);

/* Tells before a long run whether output_open would succeed, and changes nothing. */
int output_check(const char *path, char error[OUTPUT_ERROR_MAX]);

/* Makes a folder and those above it, as mkdir -p; one that exists must be writable. */
int output_make_folder(const char *path, char error[OUTPUT_ERROR_MAX]);
/* Tells before a long run whether that would succeed, and leaves nothing behind. */
int output_check_folder(const char *path, char error[OUTPUT_ERROR_MAX]);

/* Removes a file, or a folder with all that is in it; what is not there is left alone. */
void output_remove(const char *path);

/* Returns 0 if everything written to file so far has arrived, or a positive errno. */
int output_flush(FILE *file);

#endif
