/* SPDX-License-Identifier: MIT */
/* One run of one workload on one subject, in a process of its own. */
#ifndef BENCH_LAUNCH_H
#define BENCH_LAUNCH_H

#include "bench/answer.h"
#include "bench/bench.h"

struct launch_order {
    const struct bench_workload *workload;
    const struct bench_subject *subject;
    uint64_t count;          /* of the workload's unit */
    const char *const *tool; /* its command line, before that of the program; NULL: none */
};

/* Returns 0; ECANCELED if bench->is_cancelled ended it; or another positive errno with one sentence
 * in `error` if no process could be started. After 0, ret_failure is "" and ret_answer complete, or
 * ret_failure says how the run failed, such as "killed by signal 11 (Segmentation fault)", and what
 * it printed. */
int launch_run(const struct bench *bench, const struct launch_order *order,
               struct bench_answer *ret_answer, char ret_failure[BENCH_FAILURE_MAX],
               char error[SUBJECT_ERROR_MAX]);

#endif
