/* SPDX-License-Identifier: MIT */
/* How a class of verdict (a check at a site) is made to show again: shared by shrink.c and
 * reproduce.c. */
#ifndef HARNESS_REPRODUCE_H
#define HARNESS_REPRODUCE_H

#include "harness/finding/finding.h"

/* What a replay needs beyond the trace, and what it must show. */
struct reproduction {
    /* bit i: enum check, any of which shows the cause wherever it shows, but by exit only one that
     * showed so; 0: only the class does */
    uint32_t family;
    uint32_t muted; /* checks that hide the class */
    /* identical cycles for footprint: many times the cost of one run. Few raise a suspicion only,
     * ROUNDS_MANY decide */
    uint32_t rounds;
};

bool reproduce_shows(const struct reproduction *reproduction, const struct execution *execution,
                     const struct verdict *class);

/* Runs the trace once in a fresh process. Returns as executor_run. */
int reproduce_once(struct executor *executor, const struct trace *trace,
                   const struct reproduction *reproduction, struct execution *ret_execution,
                   char error[SUBJECT_ERROR_MAX]);

/* Runs the trace until the class shows or nothing does, in a fresh process each time, adding to the
 * reproduction only what it takes: mutes each check that stops the run before the class can show,
 * and asks for rounds if nothing shows without. Some checks cannot be muted (a crash). Returns as
 * executor_run. */
int reproduce_search(struct executor *executor, const struct trace *trace,
                     const struct verdict *class, struct reproduction *reproduction,
                     struct execution *ret_execution, char error[SUBJECT_ERROR_MAX]);

#endif
