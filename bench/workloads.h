/* SPDX-License-Identifier: MIT */
/*
 * What a bench runs: workloads of our own (mallet-bench-child), recorded traces, and real programs
 * with a fixed input. The number of operations of each is fixed, so that runs can be compared.
 */
#ifndef BENCH_WORKLOADS_H
#define BENCH_WORKLOADS_H

#include "harness/trace/trace.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

enum { WORKLOAD_ARGUMENTS_MAX = 12, WORKLOAD_NAME_MAX = 48 };

struct bench_workload {
    char name[WORKLOAD_NAME_MAX];
    const char *group; /* "pairs", "growth", "memory", "threads", "traces", "programs" */
    const char *does;
    const char *kind; /* of mallet-bench-child; NULL: a program */
    uint64_t size, count;
    const char *arguments[WORKLOAD_ARGUMENTS_MAX]; /* of a program: its path first */
    int status;                                    /* that the program ends with */
    char file[WORKLOAD_NAME_MAX + 8];              /* of a trace: its ops, in the bench's folder */
    char skipped[160];                             /* why it cannot run; "": it can */
};

/* Those that are built in, in the order to run them; NULL beyond the last. Programs that are not
 * installed have `skipped`. */
const struct bench_workload *bench_workload_at(size_t i);

/* A workload that replays a trace, about a million ops in all. Writes its ops to a file of
 * `folder`, which outlives the runs. Returns 0, or a positive errno. A trace with sizes that depend
 * on the subject gets `skipped`. */
int bench_workload_of_trace(struct bench_workload *ret_workload, const char *name,
                            const struct trace *trace, const char *folder);

/* Writes the inputs of the programs to `folder`, which is their current folder. Returns 0, or a
 * positive errno. */
int bench_write_inputs(const char *folder);

#endif
