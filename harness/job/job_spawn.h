/* SPDX-License-Identifier: MIT */
/* Starts jobs in child processes; for the caller's side. */
#ifndef HARNESS_JOB_SPAWN_H
#define HARNESS_JOB_SPAWN_H

#include "harness/job/job.h"
#include "harness/process/process.h"
#include "harness/subject/subject_plan.h"

struct job_order {
    const struct subject_plan *subject;
    enum job_kind kind;
    const char *name;
    const char *const *arguments; /* NULL last; NULL: none */
    size_t report_size;
    /* As in struct process_plan. */
    unsigned cpu_limit_s, wall_limit_ms;
    uint64_t (*read_position)(const struct process *process);
    bool (*is_cancelled)(void); /* asked while it runs: whether to end it; NULL: never */
};

/* Starts the child program of the subject's plan. Returns as process_spawn; ENOENT too if it is not
 * known where child programs are. The process is the caller's, as any other. */
int job_spawn(const struct job_order *order, struct process *ret_process);

/* What the child left so far; its own words, so nothing to rely on. */
void *job_report(const struct process *process);
uint32_t job_offers(const struct process *process);
/* Why the subject was not bound in a child that has ended with 0: one sentence. NULL if it was
 * bound, or the subject itself ended the child, or it ended otherwise. */
const char *job_refusal(struct process *process);

#endif
