/* SPDX-License-Identifier: MIT */
/*
 * What an executor and its child processes say to each other. Plain data only; both sides are of
 * one build, but a child may have 32 bits: 64-bit members lie at multiples of 8 in either.
 *
 *   executor                zygote                worker
 *      │ ←─── hello ────────── │                      │
 *      │ ──── ZYGOTE_FORK ───→ │ ── forks ──────────→ │    control: the executor's and the zygote's
 *      │ ←─── worker started ─ │                      │
 *      │ ←─── started ─────────────────────────────── │
 *      │ ──── order ────────────────────────────────→ │    work: the executor's and the worker's
 *      │ ←─── reply ───────────────────────────────── │
 *      │ ←─── worker ended ─── │                      ×
 *
 * An order is a batch of traces, and the reply is about the last one that ran: all before it were
 * clean. Orders point into the request memory, which children can only read; progress, outcomes and
 * features come back in the report memory, which the executor reads as untrusted.
 */
#ifndef HARNESS_PROTOCOL_H
#define HARNESS_PROTOCOL_H

#include "harness/executor/executor.h"
#include "harness/run/policy.h"
#include "harness/run/run.h"
#include "harness/subject/subject.h"

/* Descriptors of a child, set up before it is executed; 0 is /dev/null, 1 and 2 a pipe that never
 * blocks. */
enum { CHILD_CONTROL = 3, CHILD_WORK = 4, CHILD_REQUEST = 5, CHILD_REPORT = 6 };

#define PROTOCOL_MAGIC 0x6d616c6cu

/* How a child ends that cannot reach the executor any more: as a rule, because the subject closed
 * its descriptors. */
enum { CHILD_EXIT_LOST = 99 };

struct child_hello {
    uint32_t magic;
    int32_t error; /* 0: bound */
    uint32_t offers;
    uint8_t has_reset, has_check, has_footprint, has_fail_os;
    char sentence[SUBJECT_ERROR_MAX];
};

/* What the zygote does next: one byte. ZYGOTE_WORK: it is a worker from there on. */
enum { ZYGOTE_FORK = 'f', ZYGOTE_WORK = 'w' };

/* From the zygote: a worker started (has_ended 0) or ended with a wait status. From the worker: it
 * started. */
struct worker_event {
    uint32_t magic;
    int32_t pid; /* -1: could not be forked */
    int32_t has_ended;
    int32_t status;
};

enum order_kind { ORDER_RUN, ORDER_PROBE, ORDER_PROBE_CAPACITY, ORDER_PROBE_BLOCKS };

struct work_order {
    uint32_t magic;
    uint32_t kind;
    uint64_t sequence;
};

struct work_reply {
    uint32_t magic;
    uint32_t is_clean;
    uint64_t sequence;
    uint32_t done; /* traces of the batch that ran */
    uint32_t muted_failures;
    uint32_t has_open_growth;
    uint32_t is_spent;   /* the worker's heap is in doubt */
    uint32_t is_watched; /* its OS calls were */
    struct os_call_counts os_calls;
    struct verdict verdict;
    /* ORDER_PROBE; ORDER_PROBE_CAPACITY, of a subject that dies on being asked for the rest */
    struct policy policy;
    _Alignas(8) uint64_t capacity; /* 0: unlimited */
    uint64_t blocks;               /* ORDER_PROBE_BLOCKS; likewise */
    /* one sentence if calls reach another heap than the subject's, else "" */
    char misbound[SUBJECT_ERROR_MAX];
};

struct request_trace {
    struct run_options options;
    uint64_t first, count; /* of ops */
};

struct request_memory {
    struct policy policy;
    _Alignas(8) uint64_t traces;
    struct request_trace batch[EXECUTOR_BATCH_MAX];
    struct trace_op ops[TRACE_OPS_MAX];
};

struct report_memory {
    volatile uint32_t trace;                              /* of the batch, that is being run */
    struct run_progress progress;                         /* in that one */
    _Alignas(8) volatile uint64_t evaluated[CHECK_COUNT]; /* by all workers so far */
    uint8_t features[EXECUTOR_BATCH_MAX][RUN_COUNTERS];   /* edges are counted in place */
    struct outcome outcomes[TRACE_OPS_MAX];               /* one for each op of the request */
};

/* Where the compiler of 32 bits would put them elsewhere. */
_Static_assert(offsetof(struct run_options, fill_max) % 8 == 0 &&
                   sizeof(struct run_options) % 8 == 0 &&
                   offsetof(struct request_memory, ops) % 8 == 0 &&
                   offsetof(struct report_memory, outcomes) % 8 == 0 &&
                   sizeof(struct work_reply) % 8 == 0,
               "one layout for both widths");

#endif
