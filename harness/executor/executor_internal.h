/* SPDX-License-Identifier: MIT */
/*
 * What the files of the executor share:
 *   executor.c        starting a subject, running one trace, stopping
 *   executor_spawn.c  the zygote process: its descriptors, its environment, its hello
 *   executor_watch.c  waiting for a reply within the limits, and the verdict on a worker that did
 *                     not give one
 */
#ifndef HARNESS_EXECUTOR_INTERNAL_H
#define HARNESS_EXECUTOR_INTERNAL_H

#include "harness/executor/executor.h"
#include "harness/executor/protocol.h"
#include "harness/process/process.h"

/* Slow is not hung: a call counts as hung when it has used so many times the limit. */
enum { EXECUTOR_PATIENCE = 10, EXECUTOR_HANGS_MAX = 16 };

struct executor {
    struct executor_options options;
    struct executor_info info;
    struct process zygote; /* its group holds the zygote alone, its session the workers too */
    int control, work;     /* our ends of the sockets; -1: none */
    pid_t worker;          /* leads a group of its own; 0: none */
    uint32_t runs_in_worker;
    uint64_t sequence;
    const struct executor_job *jobs; /* that the worker runs; the caller's */
    size_t job_count;                /* 0: none */
    /* Where calls were seen to hang: other calls there get the plain limit. */
    char hangs[EXECUTOR_HANGS_MAX][VERDICT_SITE_MAX];
    unsigned hang_count;
    struct request_memory *request;     /* of the zygote's memory; NULL without one */
    const struct report_memory *report; /* likewise */
};

/* Starts the zygote for info.subject and takes its hello. Returns 0, or a positive errno with one
 * sentence. */
int executor_spawn(struct executor *executor, char error[SUBJECT_ERROR_MAX]);
/* Ends the zygote and what it started; harmless when repeated. */
void executor_kill_zygote(struct executor *executor);

/* The next message of so many bytes; shorter ones are a subject's noise. Returns 0, ETIMEDOUT, or
 * EPIPE when the other side is gone. */
int executor_receive(int socket, void *message, size_t size, unsigned limit_ms);

/* Makes sure that there is a worker, within the wall limit. Returns 0 or a positive errno with one
 * sentence. */
int executor_start_worker(struct executor *executor, char error[SUBJECT_ERROR_MAX]);

enum watch_result {
    WATCH_REPLIED,
    WATCH_DIED,      /* the worker ended without a reply: status is filled */
    WATCH_HUNG,      /* its CPU time is up; killed */
    WATCH_STUCK,     /* its wall time is up; killed */
    WATCH_CANCELLED, /* the caller wants no more of it; killed */
    WATCH_BROKEN     /* the zygote is gone */
};
struct watch {
    struct work_reply reply;
    int status;
    uint32_t cpu_ms, wall_ms; /* since the op it is at began */
};
enum watch_result executor_watch(struct executor *executor, struct watch *ret_watch);
/* The index of the job that the worker is at; the last one if that record was overwritten. */
size_t executor_find_job(const struct executor *executor);
/* The site of the op that the worker is at, "" outside of a trace. */
void executor_find_site(const struct executor *executor, char ret_site[VERDICT_SITE_MAX]);
/* The verdict on a worker that gave no reply, from the op of the trace it had reached. */
void executor_judge_death(const struct executor *executor, enum watch_result result,
                          const struct watch *watch, struct verdict *ret_verdict);
#endif
