/* SPDX-License-Identifier: MIT */
/*
 * Whether a finding's own program shows it too: the last guard against a false alarm, since the
 * program knows nothing of the harness. It is compiled as its first lines say and run with the
 * subject over it, within limits.
 *
 * Every exported program (of a trace, a clause, a scenario, a workload) exits with 1 if it shows
 * its finding, with 0 if it does not, and with 2 if it had not the time to tell. One that dies, or
 * that runs without end where a hang is the finding, shows it as well, unless it does the same on
 * the libc.
 */
#ifndef HARNESS_CONFIRM_H
#define HARNESS_CONFIRM_H

#include "harness/finding/finding.h"

struct confirm_request {
    const char *subject; /* as subject_resolve takes it */
    const char *source;  /* path of the program */
    bool is_hang;        /* the finding is that a call does not return */
    /* Runs at most, until one shows it: a race needs several, and so does what depends on
     * addresses, which differ from run to run. 0: 6. */
    unsigned runs;
    unsigned *ret_run; /* number of the run that showed it, from 1; 0: none did. NULL: not asked */
    unsigned cpu_limit_s;       /* of a run; 0: 5 */
    uint32_t touch_ms;          /* and as much more, for large blocks */
    bool (*is_cancelled)(void); /* NULL: never */
};

/* CONFIRM_UNKNOWN: it could not be compiled or run to its end, the subject cannot be put under a
 * program of its own, or what happened does not tell whose fault it is. */
enum confirmation confirm_by_program(const struct confirm_request *request);

#endif
