/* SPDX-License-Identifier: MIT */
/* Starts the executor for a subject as a person typed it. */
#ifndef MALLET_SUBJECT_START_H
#define MALLET_SUBJECT_START_H

#include "harness/executor/executor.h"

/* binding: BIND_AUTO unless asked for. Returns 0, or a positive errno with one sentence in
 * `error`. */
int subject_start(struct executor **ret_executor, const char *typed, enum subject_binding binding,
                  char error[SUBJECT_ERROR_MAX]);

/* Parses the value of --binding; ends the process with a sentence if it is none. For use in argp
 * parsers. */
enum subject_binding parse_binding(const char *text);

#endif
