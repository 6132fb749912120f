/* SPDX-License-Identifier: MIT */
/*
 * A finding: a verdict on a subject with the shrunk trace that shows it, how often it reproduced,
 * and the C program that shows it without us. shrink.c makes the trace small, export.c writes the
 * program; both keep the class of the verdict (check and site).
 */
#ifndef HARNESS_FINDING_H
#define HARNESS_FINDING_H

#include "harness/executor/executor.h"

#include <stdio.h>

struct finding {
    struct verdict verdict;
    struct trace trace;            /* shrunk; storage of the caller of finding_make */
    unsigned reproduced, attempts; /* k of n, a fresh process each */
    char output[256];
};

/* Same class: same check at the same site. */
bool verdict_is_same(const struct verdict *left, const struct verdict *right);

/* Shrinks trace in place over ops and operands while it shows a verdict of the same class in a
 * fresh process. budget: executions at most; 0: 3000. Returns 0 and the verdict of the shrunk
 * trace, or a positive errno as executor_run. */
int shrink_trace(struct executor *executor, struct trace *trace, const struct verdict *verdict,
                 unsigned budget, struct execution *ret_execution, char error[SUBJECT_ERROR_MAX]);

/* Replays in `attempts` fresh processes and counts the verdicts of the same class into
 * finding->reproduced. */
int finding_reproduce(struct executor *executor, struct finding *finding, unsigned attempts,
                      char error[SUBJECT_ERROR_MAX]);

/* Writes a standalone C program: the calls of the trace with the check that fails (verdict NULL:
 * fill and verify everything), as plain C that needs nothing but a libc; exit status 0 when all
 * holds, 1 with one line on stderr when not. Allocates nothing itself beyond the calls of the
 * trace. */
void export_program(FILE *out, const struct trace *trace, const struct verdict *verdict);

#endif
