/* SPDX-License-Identifier: MIT */
/*
 * Runs traces on a subject in processes of their own, so that a subject may crash, abort, exit,
 * hang, print for ever or scribble over all it can reach: each is a verdict, never the end of the
 * caller.
 *
 *   caller ─ spawns ─→ zygote: binds the subject, touches it no further ─ forks ─→ worker: runs
 *                                                                                  traces
 *
 * The caller trusts nothing it reads back. Traces go out through memory the worker cannot write;
 * verdicts come back as validated messages. A hang is judged by the worker's CPU time; wall time
 * only breaks deadlocks. One executor serves one thread. A subject whose handlers for fork hang or
 * crash gets a new zygote for each worker, which works itself.
 */
#ifndef HARNESS_EXECUTOR_H
#define HARNESS_EXECUTOR_H

#include "harness/run/check.h"
#include "harness/run/policy.h"
#include "harness/run/run.h"
#include "harness/subject/subject_plan.h"
#include "harness/trace/trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct executor_options {
    enum subject_binding binding;
    enum subject_scope scope;
    /* For one step of a trace: an op with its checks. 0: 500 of processor time, 20000 by the
     * clock, which bounds the start of a worker too. Where no call was seen to hang before, a call
     * gets ten times the processor time. */
    uint32_t cpu_limit_ms, wall_limit_ms;
    /* A search, whose hangs others confirm: a call on a large block gets no more time than
     * another. */
    bool is_search;
    /* Bytes that the subject can hold, 0: no limit, instead of what probing finds. */
    bool has_capacity;
    uint64_t capacity;
    /* Asked while a subject runs: whether to end what runs, which returns ECANCELED. NULL:
     * never. */
    bool (*is_cancelled)(void);
};

/* What became known of the subject when it was bound. */
struct executor_info {
    struct subject_plan subject; /* the binding is the one used; with what it offers */
    bool has_reset, has_check, has_footprint, has_fail_os;
    /* A fork of the subject's process did not come back on both sides: each trace, or batch of
     * them, runs in a process that is started anew. */
    bool has_broken_fork;
    struct policy policy; /* probed in a worker of its own */
    /* stated or probed: bytes it could hold; 0: at least 64 MiB, taken as unlimited */
    uint64_t capacity;
    uint64_t blocks; /* probed: small blocks at a time; 0: at least 65536, likewise */
};

struct executor;

/* typed: as subject_resolve takes it. Returns 0, or a positive errno with one sentence in `error`
 * that says which subject cannot be bound and why. */
int executor_start(struct executor **ret_executor, const char *typed,
                   const struct executor_options *options, char error[SUBJECT_ERROR_MAX]);
/* A second executor for the same subject, with processes of its own: what is known of the subject
 * is taken over, not probed again. Returns as executor_start. */
int executor_start_beside(struct executor **ret_executor, const struct executor *other,
                          char error[SUBJECT_ERROR_MAX]);
void executor_stop(struct executor *executor);
const struct executor_info *executor_info(const struct executor *executor);

/* How often a check was evaluated in all runs so far; a hint, as the subject can write to it. */
uint64_t executor_evaluated(const struct executor *executor, enum check check);

struct execution {
    bool is_clean;
    struct verdict verdict;  /* unless clean */
    uint32_t muted_failures; /* how often a muted check failed; 0 of a run that died */
    bool has_open_growth;    /* its cycles grew memory like a leak, and were too few to tell */
    char output[256];        /* first line that the subject printed before it died, or "" */
    bool is_watched;         /* OS calls were counted, and could fail on demand */
    /* of a trace that was watched, its further cycles left out; of one that died, only the
     * failures */
    struct os_call_counts os_calls;
    /* traces run in that worker so far, this one included: 1 means a fresh process */
    uint32_t runs_in_worker;
    const struct outcome *outcomes; /* one for each op of the trace; valid until the next run */
    const uint8_t *features;        /* RUN_COUNTERS counters, likewise */
};

/* The options that replay, shrink and confirm use: full fills, frequent sweeps and heap checks.
 * ops: of the trace at hand. */
struct run_options executor_thorough(const struct executor *executor, size_t ops);

/* The next trace runs in a new worker. */
void executor_end_worker(struct executor *executor);

/* Runs one trace. fresh: in a new worker, which then ends; else in the current one, started at
 * need, and kept while clean. Returns 0, or a positive errno with `error` filled when the machinery
 * itself failed (zygote lost: the executor is of no more use). */
int executor_run(struct executor *executor, const struct trace *trace,
                 const struct run_options *options, bool fresh, struct execution *ret_execution,
                 char error[SUBJECT_ERROR_MAX]);

/* One trace of a batch. */
struct executor_job {
    const struct trace *trace;
    const struct run_options *options;
};
enum { EXECUTOR_BATCH_MAX = 64 };

/* Runs traces one after the other in one worker, as executor_run would, for one exchange of
 * messages: with short traces that is most of the cost. Ends behind the first that is not clean, or
 * that leaves the heap in doubt: all before it are clean and the last of the *ret_done that ran is
 * the one that died, hung or failed. Fills as many of ret_executions; `output`, `is_watched` and
 * what comes with them for the last only. count: 1 to EXECUTOR_BATCH_MAX; traces that have no room
 * beside the first are not run. Returns as executor_run. */
int executor_run_batch(struct executor *executor, const struct executor_job jobs[], size_t count,
                       bool fresh, struct execution ret_executions[], size_t *ret_done,
                       char error[SUBJECT_ERROR_MAX]);

/* Starts the subject once, to learn how it can be bound and what it offers, and stops it. scope:
 * for the whole process the plan preloads anvil too, unless this build lacks its shared object or
 * `wanted` is another binding. Returns as executor_start. */
int executor_find_subject(struct subject_plan *ret_plan, const char *typed,
                          enum subject_binding wanted, enum subject_scope scope,
                          char error[SUBJECT_ERROR_MAX]);

#endif
