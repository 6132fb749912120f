/* SPDX-License-Identifier: MIT */
/*
 * Counts that do not depend on the machine's load, each made in runs of its own under a tool:
 *
 *   instructions   valgrind (cachegrind): of two runs, one with twice as many operations as the
 *                  other; the difference is that of the operations alone, without the start
 *   OS calls       strace: mmap, munmap, mremap, madvise, mprotect and brk of one whole run
 */
#ifndef BENCH_COUNTERS_H
#define BENCH_COUNTERS_H

#include "bench/bench.h"

/* Whether this machine has the counter's tool, and the name of the tool. */
bool counters_has_tool(enum bench_counter counter, const char **ret_tool);
/* Whether it counts in a workload: instructions only where one operation is like another. */
bool counters_apply(enum bench_counter counter, const struct bench_workload *workload);

/* How many runs the wanted counters take. */
uint64_t counters_runs(const struct bench *bench);
/* Makes them, after the timed runs. A subject that failed in a workload is left out, and a run that
 * fails under the tool leaves its reason in the count. Returns as bench_run. */
int counters_run(struct bench *bench, char error[SUBJECT_ERROR_MAX]);

#endif
