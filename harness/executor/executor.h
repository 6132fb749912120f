/* SPDX-License-Identifier: MIT */
/*
 * Runs traces on a subject in processes of their own, so that a subject may crash, abort, exit,
 * hang, print for ever or scribble over all it can reach: each is a verdict, never the end of the
 * caller.
 *
 *   caller ──── spawns ───→ zygote: binds the subject, touches it no further ──── forks ───→ worker: runs traces
 *
 * The caller trusts nothing it reads back. Traces go out through memory the worker cannot write;
 * verdicts come back as validated messages. A hang is judged by the worker's CPU time; wall time
 * only breaks deadlocks. One executor serves one thread.
 */
#ifndef HARNESS_EXECUTOR_H
#define HARNESS_EXECUTOR_H

#include "harness/run/check.h"
#include "harness/run/policy.h"
#include "harness/run/run.h"
#include "harness/subject/subject.h"
#include "harness/trace/trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum subject_binding {
    BIND_AUTO,   /* by the subject's name: see catalog.h */
    BIND_STATIC, /* anvil */
    BIND_DLOPEN,
    BIND_DLMOPEN,
    BIND_PRELOAD, /* LD_PRELOAD over the whole worker */
    BIND_HOST     /* the libc that the worker itself runs on */
};
/* "static", "dlopen", … and back; subject_binding_find returns -1 for an unknown name. */
const char *subject_binding_name(enum subject_binding binding);
int subject_binding_find(const char *name);

struct executor_options {
    enum subject_binding binding;
    uint32_t cpu_limit_ms;  /* for one trace; 0: 2000 */
    uint32_t wall_limit_ms; /* for one trace; 0: 20000 */
};

/* What became known of the subject when it was bound. */
struct executor_info {
    char name[64];                /* short: "anvil", "libjemalloc.so.2" */
    enum subject_binding binding; /* the one used */
    unsigned offers;              /* as subject_offers */
    bool has_reset, has_check, has_footprint, has_fail_os;
    struct policy policy; /* probed in a worker of its own */
    uint64_t capacity;    /* probed: bytes it could hold; 0: at least 64 MiB, taken as unlimited */
};

struct executor;

/* spec: "anvil[:OPTIONS]", "glibc", "musl", or a path to a .so. Returns 0, or a positive errno with
 * one sentence in `error` that says which subject cannot be bound and why. */
int executor_start(struct executor **ret_executor, const char *spec,
                   const struct executor_options *options, char error[SUBJECT_ERROR_MAX]);
void executor_stop(struct executor *executor);
const struct executor_info *executor_info(const struct executor *executor);

struct execution {
    bool is_clean;
    struct verdict verdict; /* unless clean */
    char output[256];       /* first line that the subject printed before it died, or "" */
    bool is_watched;        /* OS calls were counted, and could fail on demand */
    /* of a trace that was watched, its further cycles left out; of one that died, only the
     * failures */
    struct os_call_counts os_calls;
    /* traces run in that worker so far, this one included: 1 means a fresh process */
    uint32_t runs_in_worker;
    const struct outcome *outcomes; /* one for each op of the trace; valid until the next run */
    const uint8_t *features;        /* RUN_FEATURES counters, likewise */
};

/* The options that replay, shrink and confirm use: full fills, frequent sweeps and heap checks.
 * ops: of the trace at hand. */
struct run_options executor_thorough(const struct executor *executor, size_t ops);

/* Runs one trace. fresh: in a new worker, which then ends; else in the current one, started at
 * need, and kept while clean. Returns 0, or a positive errno with `error` filled when the machinery
 * itself failed (zygote lost: the executor is of no more use). */
int executor_run(struct executor *executor, const struct trace *trace,
                 const struct run_options *options, bool fresh, struct execution *ret_execution,
                 char error[SUBJECT_ERROR_MAX]);

/* The folder that this executable lies in, and its child programs with it; false if the system does
 * not tell. */
bool executor_find_folder(char *ret_folder, size_t capacity);
/* The path of the program `name` for subjects that are bound so: anvil under its prefix and musl
 * have one of their own. False as above. */
bool executor_find_program(const char *name, const char *spec, enum subject_binding binding,
                           char *ret_path, size_t capacity);

#endif
