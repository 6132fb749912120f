/* SPDX-License-Identifier: MIT */
/* A process for one workload on one subject, and what became of it. */
#ifndef GROWTH_PROCESS_H
#define GROWTH_PROCESS_H

#include "adversity/growth/report.h"
#include "harness/subject/subject_plan.h"

#include <stdbool.h>
#include <stddef.h>

enum { GROWTH_OUTPUT_MAX = 160 };
#define GROWTH_PLAIN    "plain"
#define GROWTH_COUNTING "counting" /* OS calls */

struct growth_order {
    const char *workload;
    bool is_counting;           /* OS calls */
    size_t count;               /* rounds, or blocks */
    size_t size;                /* seconds to settle, or bytes */
    unsigned cpu_seconds;       /* after which it is ended; 0: GROWTH_CPU_SECONDS */
    bool (*is_cancelled)(void); /* whether to end it early; NULL: never */
};

struct growth_ending {
    struct growth_report report; /* a copy; its text is printable */
    int status;                  /* as of waitpid */
    unsigned cpu_seconds;        /* that it had */
    bool is_blocked;             /* it was ended in a deadlock */
    unsigned idle_seconds;       /* of CPU time since a call returned */
    char output[GROWTH_OUTPUT_MAX];
};

/* Returns 0, ECANCELED, or a positive errno when no process could be started. */
int growth_process(const struct subject_plan *subject, const struct growth_order *order,
                   struct growth_ending *ret_ending);

#endif
