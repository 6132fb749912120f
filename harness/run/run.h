/* SPDX-License-Identifier: MIT */
/*
 * The middle of the picture: trace → run(subject, shadow) → verdict. Makes every call of a trace on
 * the subject, keeps the shadow beside it and stops at the first check that fails.
 *
 * Uses no malloc of any kind while a trace runs: its memory is mapped once by run_init. One struct
 * run serves one thread.
 */
#ifndef HARNESS_RUN_H
#define HARNESS_RUN_H

#include "harness/run/check.h"
#include "harness/run/os_calls.h"
#include "harness/run/policy.h"
#include "harness/subject/subject.h"
#include "harness/trace/trace.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RUN_FEATURES = 1280,
    /* guidance for a search: those of behaviour, then the edges of a subject that counts them */
    RUN_COUNTERS = RUN_FEATURES + SUBJECT_COVERAGE,
    RUN_MUTED_MAX = 32,
    RUN_FOREIGN_MAX = 16,  /* `sbrk` ops that a run heeds */
    RUN_CHILD_BLOCKS = 8,  /* that the child of a fork allocates */
    RUN_CHILD_RESIZED = 64 /* inherited blocks that it reallocates; it frees all */
};

/* Follows the function's name in the site of a verdict on a call in which an OS call failed on
 * demand: another class than without. */
#define RUN_FAULT_SITE "@fail-os"

/* How many cycles what looks like a leak is worth. */
enum run_growth {
    GROWTH_FOLLOWED, /* eight times as many as anything else */
    GROWTH_LEFT,     /* no more than anything else: the caller asks run_has_open_growth */
    GROWTH_SUSPECTED /* no more than the rounds: growth that is even so far counts */
};

/* Plain data: travels between processes. */
struct run_options {
    uint32_t heap_check_every; /* ops between calls of the subject's walker; 0: only at the end */
    /* ops between checks of every live block; 0: only at `sweep` and the end */
    uint32_t sweep_every;
    /* bytes; blocks with more capacity are filled and verified in samples */
    uint64_t fill_max;
    /* bytes; calls that make the subject itself clear or copy more are passed over. 0: unlimited */
    uint64_t touch_max;
    uint64_t capacity;         /* bytes the subject can hold at all; 0: unlimited */
    uint64_t blocks;           /* that it can have live at a time; 0: unlimited */
    uint32_t strict_alignment; /* bool: malloc(n) is 16-byte aligned for n < 16 too */
    /* identical cycles for footprint, and more while memory grows; 0: none */
    uint32_t rounds;
    uint32_t growth; /* enum run_growth */
    uint32_t muted;  /* bit per enum check: known to fail, does not stop the run */
    /* the same for one site each: the first so many */
    uint32_t muted_class_count;
    struct verdict_class muted_classes[RUN_MUTED_MAX];
    /* bool: after OS failures on demand, run the trace once more without them: all must be as
     * before */
    uint32_t recovery;
    /* bool: count OS calls, also in a trace without fail-os; for the worker of an executor */
    uint32_t watch_os;
    /* bool: thread, thread-exit and fork are passed over: the process is not the run's alone */
    uint32_t one_thread;
};

/* What a caller can see of one op: compared between subjects by `mallet diff`, which leaves
 * addresses out. */
struct outcome {
    uint8_t ran;           /* 0: not reached, or the subject has no such function */
    uint8_t returned_null; /* for allocating calls */
    uint16_t os_calls;     /* that it made, where they are watched; UINT16_MAX: so many or more */
    int32_t error;         /* errno after a failure, posix_memalign's result; else 0 */
    uint64_t block, size;  /* its address, 0: none, and what was asked for: for pictures */
};

/* Where a run is, for whoever finds out why its process died. */
enum run_where {
    RUN_TOUCHES,         /* the blocks; the requested bytes, and others that were there before */
    RUN_CALLS,           /* the function of the op */
    RUN_ASKS,            /* malloc_usable_size */
    RUN_TOUCHES_GRANTED, /* bytes that nobody requested, but malloc_usable_size grants */
};

struct run_progress {
    volatile uint32_t op;    /* the op being run, or VERDICT_NO_OP */
    volatile uint32_t round; /* which cycle of the trace */
    volatile uint32_t where; /* enum run_where */
    /* of this run; the last one only if it came in the last call of the subject */
    struct os_call_failures os_failures;
};

/* The function that an op calls; SUBJECT_CALL_COUNT: none. */
enum subject_call run_call_of(enum op_kind kind);
/* What a run makes of an op: of a sized free a plain one if the subject, which offers the functions
 * of the set (as subject_offers), has no such function. */
enum op_kind run_op_kind(unsigned offers, enum op_kind kind);
/* The name that a verdict has for an op: of what a run makes of it. Behind an op that the subject
 * has no function for, live blocks are swept all the same. */
const char *run_op_name(unsigned offers, enum op_kind kind);

struct run; /* the shadow and all other working memory */

/* Returns 0 or ENOMEM. */
int run_init(struct run **ret_run);
/* The choices known so far, all zero at first: grows as the subject shows more, may be set before a
 * run. */
struct policy *run_policy(struct run *run);

/* Where a run reports to besides its verdict; any may be NULL. */
struct run_report {
    struct run_progress *progress;
    struct outcome *outcomes; /* one for each op */
    /* RUN_FEATURES counters of behaviour in the first cycle */
    uint8_t *features;
    /* CHECK_COUNT counters, which only grow: how often a check was evaluated, that is, compared
     * what the subject did with what it must do. Of crash and progress: calls that were begun. */
    volatile uint64_t *evaluated;
};

/* Runs a well-formed trace and frees all it left live. Returns true if every check held; else false
 * with the verdict. The subject's heap is then in doubt: no further run in this process proves
 * anything, unless the subject has reset. */
bool run_trace(struct run *run, const struct subject *subject, const struct trace *trace,
               const struct run_options *options, const struct run_report *report,
               struct verdict *ret_verdict);
/* OS calls of the last run, but for its further cycles; all 0 unless they are watched. */
struct os_call_counts run_os_calls(const struct run *run);
/* The last run ended at a muted check, clean so far, but with a heap in doubt. */
bool run_was_cut_short(const struct run *run);
/* Another user of the program break took memory in this process, for good. */
bool run_has_moved_break(const struct run *run);
/* The cycles of the last run grew memory like a leak, and were too few to tell. */
bool run_has_open_growth(const struct run *run);
/* How often a muted check failed in the last run. */
uint32_t run_muted_failures(const struct run *run);
/* The same calls without shadow or checks: the base line for the cost of checking. */
void run_trace_unchecked(struct run *run, const struct subject *subject, const struct trace *trace,
                         const struct run_options *options);

#endif
