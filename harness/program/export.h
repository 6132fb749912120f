/* SPDX-License-Identifier: MIT */
/* From a trace to a C program that stands alone. */
#ifndef HARNESS_EXPORT_H
#define HARNESS_EXPORT_H

#include "harness/run/check.h"
#include "harness/trace/trace.h"

#include <stdio.h>

/* Writes a standalone C program: the calls of the trace with the check that fails (verdict NULL:
 * fill and verify everything), as plain C that needs nothing but a libc; exit status 0 when all
 * holds, 1 with one line on stderr when not. Allocates nothing itself beyond the calls of the
 * trace. Returns 0 or a positive errno, as program_end. */
int export_program(FILE *out, const struct trace *trace, const struct verdict *verdict);

#endif
