/* SPDX-License-Identifier: MIT */
/*
 * A trace replayed once for every OS call that its calls make, that one failing; or once for every
 * pair. Each replay is a trace of its own, with the `fail-os` in front of the op that makes the
 * call, so that a finding replays, shrinks and exports by itself.
 */
#ifndef MALLET_FAULT_SWEEP_H
#define MALLET_FAULT_SWEEP_H

#include "harness/executor/executor.h"

struct fault_sweep {
    uint32_t only; /* the OS call to fail, from 1 on; 0: all in turn */
    bool has_pairs;
    uint32_t faults_max;            /* replays of one trace; 0: a few thousand */
    bool (*is_over)(void *context); /* asked before each fault: whether none may begin any more */
    /* What was done. */
    size_t os_calls; /* of the trace when none fails */
    size_t faults;   /* replays */
    size_t left_out; /* faults beyond faults_max, or after the end */
    size_t failed[OS_CALL_COUNT];
};

/* Runs `trace` as the caller wants it run; ret_execution is valid until the next. Returns 0, or
 * another status that ends the sweep. */
typedef int (*fault_runner)(void *context, const struct trace *trace, bool is_base,
                            struct execution *ret_execution);

enum {
    SWEEP_DONE = 0,
    SWEEP_NO_MEMORY = -1,
    SWEEP_NOT_WATCHED = -2,
    SWEEP_BASE_FAILED = -3 /* a finding without any fault */
};

/* First the trace itself, without its own fail-os ops and with all freed at its end; then the
 * faults. Returns SWEEP_… or the runner's status. */
int fault_sweep_run(struct fault_sweep *sweep, const struct trace *trace, fault_runner run,
                    void *context);

#endif
