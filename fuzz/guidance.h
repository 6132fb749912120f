/* SPDX-License-Identifier: MIT */
/*
 * Passes the behaviour counters of a run (run_features.c) to the engine: the only guidance where
 * the subject has no instrumentation, and additional guidance where it has; and the edges that a
 * foreign subject counts itself (harness/cli/parts/coverage.c). Does nothing without an
 * engine.
 */
#ifndef FUZZ_GUIDANCE_H
#define FUZZ_GUIDANCE_H

#include <stdint.h>

/* RUN_COUNTERS counters, all zero, to be filled by the run that follows. */
uint8_t *guidance_begin(void);
/* The run is over: hands the counters on. */
void guidance_end(void);

#endif
