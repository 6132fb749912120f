/* SPDX-License-Identifier: MIT */
/*
 * Fuzzing a subject that is not linked in: each trace goes to a worker process, which runs some
 * hundreds of traces while it stays clean. A verdict never ends the target. It is confirmed and
 * saved once for its class (findings.h), and fuzzing goes on.
 */
#ifndef FUZZ_FOREIGN_H
#define FUZZ_FOREIGN_H

#include "harness/run/run.h"
#include "harness/trace/trace.h"

#include <stdint.h>

/* Binds the subject, as subject_resolve takes it. Says in one line on stderr why it cannot, and
 * ends the process. */
void foreign_open(const char *spec);
/* Runs one trace. ret_features: RUN_COUNTERS counters, zero before. */
void foreign_run(const struct trace *trace, const struct run_options *options,
                 uint8_t *ret_features);

#endif
