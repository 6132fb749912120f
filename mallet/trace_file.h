/* SPDX-License-Identifier: MIT */
/* Reads traces from files, in whichever form they are there. */
#ifndef MALLET_TRACE_FILE_H
#define MALLET_TRACE_FILE_H

#include "harness/trace/trace.h"

#include <stdio.h>

enum { TRACE_FILE_ERROR_MAX = 256 };

/* "-": standard input. Text if the name ends in .trace, bytes if it ends in .bin or
 * trace_file_is_input; otherwise text if every byte is printable, a tab or a line end. Returns 0
 * with a trace of at least one op, to be given to trace_file_done; or a positive errno with one
 * sentence in `error` that names the file, and the line where there is one. */
int trace_file_read(const char *path, struct trace *ret_trace, char error[TRACE_FILE_ERROR_MAX]);
/* Whether a name is one that an engine gives: libFuzzer ends it with 40 hex digits, AFL++ has `id:`
 * and a number in it. Such a file has bytes, even if all of them are printable. */
bool trace_file_is_input(const char *path);
/* Whether a file that can be read is text that a person may have written, with comments. */
bool trace_file_is_written(const char *path);
void trace_file_done(struct trace *trace);

/* Write the trace in text form, or as canonical bytes; failures show in ferror(out), and errno is
 * set. */
void trace_write_text(FILE *out, const struct trace *trace);
void trace_write_bytes(FILE *out, const struct trace *trace);

#endif
