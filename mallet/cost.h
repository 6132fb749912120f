/* SPDX-License-Identifier: MIT */
/* What the checks cost: the time of a trace with and without them, on static anvil in this
 * process's child. */
#ifndef MALLET_COST_H
#define MALLET_COST_H

#include "harness/run/run.h"

enum { COST_SAMPLES = 9 };

/* Medians of COST_SAMPLES interleaved samples, in microseconds for one run of the trace. */
struct cost {
    double checked_us, unchecked_us;
};

/* subject: "anvil[:OPTIONS]". Returns 0, or a positive errno with one sentence in `error`. */
int cost_measure(const char *subject, const struct trace *trace, const struct run_options *options,
                 struct cost *ret_cost, char error[SUBJECT_ERROR_MAX]);

#endif
