/* SPDX-License-Identifier: MIT */
/*
 * What the files of a run share:
 *
 *   run.c           the loop, sweeps, the end of a trace
 *   run_call.c      one op → a request (sizes resolved) → the call → what it returned
 *   run_block.c     ops that make, move and free blocks: the order of checks around a call
 *   run_judge.c     the checks themselves, one function each
 *   run_footprint.c identical cycles
 *   run_faults.c    OS calls that fail on demand, and the recovery from it
 *   run_threads.c   which thread makes the calls, and the child of a fork
 *   run_break.c     another user of the program break
 *   run_features.c  behaviour as feedback for an engine
 *
 * A check function returns true if the run may go on; else its callers return false at once, up to
 * run_trace. The verdict is then written, unless the check is muted and run->is_cut_short is set.
 */
#ifndef HARNESS_RUN_INTERNAL_H
#define HARNESS_RUN_INTERNAL_H

#include "harness/base/trend.h"
#include "harness/run/run.h"
#include "harness/run/shadow.h"
#include "harness/run/team.h"

/* errno before every call: a value that no libc uses. */
enum { ERRNO_SENTINEL = 0x5eed };

enum {
    FREED_RING = 8,
    RUN_PAGE = 4096,
    OWN_STACK = 1 << 16 /* bytes that calls below run_init may use */
};

struct own_range {
    uintptr_t start, end; /* memory of the harness, in which no block may lie */
};

/* Memory that another user of sbrk got. */
struct foreign {
    uint8_t *start;
    size_t size;
    uint64_t seed;
};

struct run {
    const struct subject *subject;
    unsigned offers; /* of the subject */
    const struct trace *trace;
    const struct run_options *options;
    const struct run_report *report;
    struct verdict *verdict;
    volatile uint64_t *evaluated; /* the report's, or the next */
    volatile uint64_t uncounted[CHECK_COUNT];
    /* the report's; NULL behind the first cycle: more of the same would pass for new behaviour */
    uint8_t *features;
    uint32_t op;       /* index of the op being run, or VERDICT_NO_OP */
    bool is_cut_short; /* a muted check failed in a way that no later check can be trusted after */
    bool has_open_growth;
    uint32_t muted_failures;
    size_t peak_size;              /* most live bytes of this trace */
    struct trend_freed given_back; /* that this run gave back */
    size_t served_alignment;       /* the largest of a block of another call than posix_memalign */
    /* a realloc to size 0 neither freed its block for certain nor kept it: memory may grow */
    bool may_have_kept;
    struct faults {
        /* os_calls.h sees the subject; else only its own hook may fail, and does not tell when */
        bool is_watching;
        bool is_recovering; /* this cycle is one without failures */
        bool is_armed;      /* the hook is: NULL is no surprise for the rest of the cycle */
        /* some OS call, in this run: what is wrong from here on may be due to that */
        bool has_failed;
        bool is_in_last_call; /* one failed in the last call of the subject */
        uint32_t failed;      /* when that call began */
        uint32_t calls;       /* when the op began */
        struct os_call_counts first_cycle, start;
    } faults;
    struct team *team;             /* NULL until a trace has a thread */
    unsigned member;               /* of the team, that has the token */
    unsigned running;              /* member whose thread runs the ops now */
    uint32_t round;                /* cycle of this run */
    struct verdict *child_verdict; /* where the child of a fork leaves its own; shared memory */
    struct policy policy;
    struct own_range own[3];
    struct foreign foreign[RUN_FOREIGN_MAX];
    size_t foreign_count;
    uintptr_t freed[FREED_RING]; /* starts of the blocks freed last */
    unsigned freed_next;
    uintptr_t freed_low, freed_high; /* of all freed in this trace */
    struct shadow shadow;
};

/* An op with everything in it resolved to numbers. */
struct request {
    const struct trace_op *op;
    size_t count, size; /* factors; count is 1 but for products */
    size_t total;       /* bytes asked for, SIZE_MAX if the product overflows */
    size_t alignment;   /* asked for; 0: none */
    bool is_impossible; /* no correct allocator can succeed */
    bool is_alignment_valid;
};

struct answer {
    void *block;
    int result;        /* of posix_memalign */
    int error;         /* errno after the call, ERRNO_SENTINEL if untouched */
    bool is_null;      /* it failed, or chose to return no block */
    bool is_untouched; /* posix_memalign did not write its out-parameter */
};

/* Where the run is, for whoever watches this process. */
static inline void run_is(struct run *run, enum run_where where)
{
    if (run->report->progress != NULL)
        run->report->progress->where = where;
}

/* To be called wherever a check compares. */
static inline void run_evaluate(struct run *run, enum check check)
{
    run->evaluated[check]++;
}

/* run_call.c */
struct request request_make(const struct run *run, const struct trace_op *op);
bool request_can_run(const struct run *run, const struct request *request);
struct answer request_call(struct run *run, const struct request *request, void *old_block);
/* Frees by the op's function where the subject has it and the block suits it, else by free. Returns
 * errno afterwards. */
int call_free(struct run *run, enum op_kind kind, const struct block *block);
/* For the op being run. */
void call_trim(struct run *run);
/* Writes the call as C, with slots for pointers: "realloc(#3, 200)". */
enum { CALL_TEXT_MAX = 96 };
void request_describe(const struct request *request, char ret_text[CALL_TEXT_MAX]);

/* run_faults.c */
void faults_begin(struct run *run);
void faults_begin_cycle(struct run *run);
void faults_end_cycle(struct run *run);
/* Only where OS calls are watched. */
void faults_begin_op(struct run *run);
void faults_end_op(struct run *run);
void faults_arm(struct run *run, const struct trace_op *op);
/* Around each call of the subject, in whichever thread. */
void faults_enter(struct run *run);
void faults_leave(struct run *run);
/* A modest request may fail: the system refused memory in the call itself, or may have. */
static inline bool faults_excuse_null(const struct run *run)
{
    return run->faults.is_in_last_call || run->faults.is_armed;
}
bool run_recovery(struct run *run);

/* run_threads.c */
/* Runs work(context) in the thread that has the token. */
void run_in_member(struct run *run, void (*work)(void *context), void *context);
void run_thread(struct run *run, const struct trace_op *op);
bool run_fork(struct run *run);
void threads_end_cycle(struct run *run);
void threads_end(struct run *run);

/* run_break.c */
void run_break_move(struct run *run, const struct trace_op *op);
/* NULL: none. */
const struct foreign *break_find_overlap(const struct run *run, const void *block, size_t capacity);
/* All that other users of sbrk got. */
bool judge_foreign(struct run *run, const char *site);

/* run_block.c: each runs one op, returns true if every check held. */
bool run_allocate(struct run *run, const struct request *request);
bool run_reallocate(struct run *run, const struct request *request);
bool run_free(struct run *run, const struct trace_op *op);

/* run_judge.c */
/* Of what is found after the current op. */
const char *run_site(const struct run *run);
bool run_fail(struct run *run, enum check check, const char *site, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
bool judge_failure(struct run *run, const struct request *request, const struct answer *answer);
bool judge_new_block(struct run *run, const struct request *request, const struct answer *answer,
                     size_t *ret_capacity);
bool judge_content(struct run *run, uint32_t slot, const char *when);
bool judge_kept_prefix(struct run *run, const struct request *request, const struct block *old,
                       const uint8_t *moved);
bool judge_usable_stable(struct run *run, uint32_t slot);
/* What the subject's malloc_usable_size, which it has, says. */
size_t run_usable_of(struct run *run, void *block);
bool judge_policy(struct run *run, const struct request *request, bool is_null);
bool judge_errno_not_zero(struct run *run, const char *site, int error);
bool run_sweep(struct run *run, const char *when);

/* run_features.c: feature_start, then what happens, in order. Only where the report wants
 * features. */
void feature_start(struct run *run);
void feature_new_block(struct run *run, const struct block *block);
void feature_freed_block(struct run *run, const struct block *block);

/* run.c: runs the trace once, shadow empty before and after. */
bool run_cycle(struct run *run);
/* Frees all that is live, by slot: an order that does not depend on addresses. */
bool run_free_all(struct run *run);
/* run_footprint.c */
bool run_footprint(struct run *run);

#endif
