/* SPDX-License-Identifier: MIT */
/*
 * Behaviour counters of a run (run_features.c) on their way to the engine: guidance where the
 * subject has no instrumentation, and a complement where it has. Nothing happens without an engine.
 */
#ifndef FUZZ_GUIDANCE_H
#define FUZZ_GUIDANCE_H

#include <stdint.h>

/* RUN_FEATURES counters, all zero, to be filled by the run that follows. */
uint8_t *guidance_begin(void);
/* The run is over: hands the counters on. */
void guidance_end(void);

#endif
