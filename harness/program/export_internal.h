/* SPDX-License-Identifier: MIT */
/* What the files of the export share: export_plan.c finds out what a program needs, export_op.c
 * writes the ops, export.c all around them. */
#ifndef HARNESS_EXPORT_INTERNAL_H
#define HARNESS_EXPORT_INTERNAL_H

#include "harness/run/run.h"

#include <stdio.h>

struct plan {
    FILE *out; /* the part of the program that is written */
    const struct trace *trace;
    const struct verdict *verdict; /* may be NULL */
    enum check check;              /* CHECK_COUNT: every check */
    bool is_filling;
    size_t slots;
    /* policy: op before the verdict's with the same choice to make, or SIZE_MAX */
    size_t first_choice;
    unsigned kinds; /* bit per enum op_kind: used */
    bool has_sizes, has_large, has_live_end;
    bool has_threads, has_faults;
    bool is_cycle; /* what goes wrong is growth from cycle to cycle */
    /* what goes wrong shows in a second cycle, in which the system refuses nothing */
    bool recovers;
    bool has_safe_cycle; /* there is a cycle in which the system refuses nothing */
    /* what goes wrong is no growth, and shows in a later cycle only: so many at most; 0: in the
     * first one */
    uint64_t repeats;
    /* bytes that the trace asks for in all, as far as is known; no more than UINT32_MAX of each
     * op */
    uint64_t total;
};

/* export_plan.c */
struct plan plan_make(const struct trace *trace, const struct verdict *verdict);
/* As run_call_of, but for a free_sized or free_aligned_sized on a block of another kind: there the
 * run calls free. */
enum subject_call plan_call_of_op(const struct trace *trace, size_t i);
/* The op that last made or moved the block that op i frees. */
const struct trace_op *plan_maker_of(const struct trace *trace, size_t i);

/* export_op.c */
void export_put(const struct plan *plan, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The call as C: "do_realloc(hold(3), 200)". old: the text of its block argument. prefix: "do_", or
 * "" in messages. */
void export_put_call(const struct plan *plan, const struct trace_op *op, const char *prefix,
                     const char *old);
/* All ops in order, then the frees of what they left live; with threads, calls of the parts that
 * they run. */
void export_put_body(const struct plan *plan);
/* The stretches between two ops that pass the token, as functions. */
void export_put_parts(const struct plan *plan);

/* export_assert.c: what must hold behind the call of the op, whose answer is in the variable
 * `block`. */
#define EXPORT_SENTINEL "0x5eed" /* in errno before a call */
void export_put_assertion(const struct plan *plan, const struct trace_op *op, const char *block);
void export_put_errno_kept(const struct plan *plan);

static inline bool plan_uses(const struct plan *plan, enum op_kind kind)
{
    return (plan->kinds >> kind & 1) != 0;
}

/* Whether op i is the one that the verdict blames. */
static inline bool plan_blames(const struct plan *plan, size_t i)
{
    return plan->verdict != NULL && plan->verdict->op == i;
}

/* Whether the program makes the calls of the trace again and again. */
static inline bool plan_has_cycles(const struct plan *plan)
{
    return plan->is_cycle || plan->recovers || plan->repeats > 0;
}

/* Whether the run forks in the first of several cycles, and in no other. */
static inline bool plan_forks_once(const struct plan *plan)
{
    return plan_has_cycles(plan) && plan_uses(plan, OP_FORK);
}

/* Whether the ops stand in functions, and not in main. */
static inline bool plan_has_functions(const struct plan *plan)
{
    return plan->has_threads || plan->recovers || plan->repeats > 0;
}

static inline bool plan_is_exact(const struct trace_op *op)
{
    return op->size_base == SIZE_EXACT;
}

#endif
