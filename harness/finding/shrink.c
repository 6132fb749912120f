/* SPDX-License-Identifier: MIT */
/*
 * Makes a failing trace small while it keeps its class: the same check at the same site, in a fresh
 * process. Or while it keeps its cause: any check of a family at any site, so that traces of one
 * defect come to the same few ops.
 *
 *   settle ─→ cut the tail ─→ fewer threads, forks, faults ─→ remove stretches
 *                  ↑                                                 │
 *                  └──── renumber slots ←── simplify each op ←───────┘  until nothing changes
 *
 * Removing is delta debugging (shrink_list.c), simplifying is shrink_op.c.
 *
 * settle finds what it takes to show the class (see reproduce.c); every candidate is then run in
 * that same way: nothing else slips in.
 *
 * A flaky class (some replays at the start come out clean) gets several tries per candidate. Uses
 * malloc: no trace runs in this process.
 */
#include "harness/base/clock.h"
#include "harness/finding/shrink_internal.h"
#include "harness/finding/shrink_list.h"
#include "harness/finding/shrink_schedule.h"
#include "harness/run/team.h"
#include "harness/trace/trace_slots.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUDGET_DEFAULT = 3000, /* executions */
    /* a slow execution counts as one more for each of these: hangs cost the whole CPU limit */
    SLOW_MS = 10,
    SEARCHES_MAX = 5, /* before a class counts as not shown at all */
    SETTLE_REPLAYS = 3,
    FEW_RUNS = 8, /* a budget of so few is not spent on finding out how surely the class shows */
    FLAKY_TRIES = 3,
    FAULT_PLACES = 32 /* that a fail-os is tried at */
};

static bool shrink_shows(const struct shrink *shrink, const struct execution *execution)
{
    return reproduce_shows(&shrink->reproduction, execution, shrink->class);
}

/* ---- the start ---- */

/* Finds how to reproduce the class, then how surely that does it. Returns whether the class showed
 * at all. */
static bool shrink_settle(struct shrink *shrink)
{
    unsigned shows = 0;
    for (unsigned search = 0; search < SEARCHES_MAX && shrink->failure == 0; search++) {
        shrink->reproduction = (struct reproduction){.family = shrink->reproduction.family};
        shrink->failure = reproduce_search(shrink->executor, shrink->best, shrink->class,
                                           &shrink->reproduction, &shrink->shown, shrink->error);
        if (shrink_shows(shrink, &shrink->shown))
            break;
    }
    if (shrink->failure != 0 || !shrink_shows(shrink, &shrink->shown))
        return false;
    unsigned replays = shrink->budget > FEW_RUNS ? SETTLE_REPLAYS : 0;
    for (unsigned replay = 0; replay < replays && shrink->failure == 0; replay++) {
        struct execution execution;
        shrink->failure = reproduce_once(shrink->executor, shrink->best, &shrink->reproduction,
                                         &execution, shrink->error);
        shows += shrink->failure == 0 && shrink_shows(shrink, &execution);
    }
    shrink->tries = shows == replays ? 1 : FLAKY_TRIES;
    return shrink->failure == 0 || shrink->failure == ECANCELED; /* it has shown */
}

/* ---- candidates ---- */

static void budget_take(struct shrink *shrink, int64_t took_ms)
{
    int64_t cost = 1 + took_ms / SLOW_MS;
    shrink->budget -= cost < shrink->budget ? (unsigned)cost : shrink->budget;
}

void shrink_candidate_begin(struct shrink *shrink)
{
    memcpy(shrink->candidate.ops, shrink->best->ops, shrink->best->count * sizeof(struct trace_op));
    shrink->candidate.count = shrink->best->count;
}

static bool candidate_is_new(const struct shrink *shrink)
{
    const struct trace *best = shrink->best, *candidate = &shrink->candidate;
    return candidate->count != best->count ||
           memcmp(candidate->ops, best->ops, best->count * sizeof(struct trace_op)) != 0;
}

bool shrink_candidate_accept(struct shrink *shrink)
{
    trace_normalize(&shrink->candidate, NORMALIZE_DROP);
    if (shrink->candidate.count == 0 || !candidate_is_new(shrink))
        return false;
    for (unsigned try = 0; try < shrink->tries && shrink->budget > 0 && shrink->failure == 0;
         try++) {
        struct execution execution;
        int64_t start = (int64_t)clock_now_ms();
        shrink->failure = reproduce_once(shrink->executor, &shrink->candidate,
                                         &shrink->reproduction, &execution, shrink->error);
        budget_take(shrink, (int64_t)clock_now_ms() - start);
        if (shrink->failure != 0 || !shrink_shows(shrink, &execution))
            continue;
        shrink->shown = execution;
        shrink->best->count = shrink->candidate.count;
        memcpy(shrink->best->ops, shrink->candidate.ops,
               shrink->candidate.count * sizeof(struct trace_op));
        return true;
    }
    return false;
}

/* ---- removing ---- */

/* Not always right: a footprint round needs the whole cycle, so the cut is a candidate like any
 * other. */
static bool shrink_cut_tail(struct shrink *shrink)
{
    uint32_t op = shrink->shown.verdict.op;
    if (op == VERDICT_NO_OP || op + UINT64_C(1) >= shrink->best->count)
        return false;
    shrink_candidate_begin(shrink);
    shrink->candidate.count = op + 1;
    return shrink_candidate_accept(shrink);
}

/* Whether the op belongs to the history of one of these slots; those that its size depends on then
 * belong to them too. */
static bool is_of_history(const struct trace_op *op, struct slot_set *slots)
{
    if ((trace_op_traits(op->kind) & OP_TAKES_SLOT) == 0 || !slot_set_has(slots, op->slot))
        return false;
    if (op->size_base != SIZE_EXACT)
        slot_set_add(slots, op->size_slot);
    return true;
}

/* Most often the failing op needs no more than the history of its own block, and a refusal just
 * before it: two runs then do the work of hundreds. */
static bool shrink_to_history(struct shrink *shrink)
{
    static struct slot_set slots;
    const uint32_t op = shrink->shown.verdict.op;
    shrink_candidate_begin(shrink);
    struct trace_op *ops = shrink->candidate.ops;
    if (op >= shrink->candidate.count || (trace_op_traits(ops[op].kind) & OP_TAKES_SLOT) == 0)
        return false;
    slot_set_init(&slots);
    slot_set_add(&slots, ops[op].slot);
    size_t first = op + 1;
    for (size_t i = first; i-- > 0;)
        if (is_of_history(&ops[i], &slots) || (i + 1 == op && ops[i].kind == OP_FAIL_OS))
            ops[--first] = ops[i];
    memmove(ops, ops + first, (op + 1 - first) * sizeof *ops);
    shrink->candidate.count = op + 1 - first;
    return shrink_candidate_accept(shrink);
}

static bool shrink_drop(struct shrink *shrink, uint32_t kinds)
{
    shrink_candidate_begin(shrink);
    return schedule_drop(&shrink->candidate, kinds) && shrink_candidate_accept(shrink);
}

static bool shrink_threads(struct shrink *shrink)
{
    bool changed = shrink_drop(shrink, 1u << OP_THREAD | 1u << OP_THREAD_EXIT);
    for (unsigned from = TEAM_SIZE - 1; from > 0; from--)
        for (unsigned into = 0; into < from && shrink->budget > 0; into++) {
            shrink_candidate_begin(shrink);
            changed |=
                schedule_merge(&shrink->candidate, from, into) && shrink_candidate_accept(shrink);
        }
    shrink_candidate_begin(shrink);
    return (schedule_renumber(&shrink->candidate) && shrink_candidate_accept(shrink)) || changed;
}

/* A failure that comes in the op behind it does not depend on how many OS calls those before make:
 * they can then go. */
static bool shrink_fault(struct shrink *shrink, size_t index)
{
    size_t end = shrink->shown.verdict.op < shrink->best->count ? shrink->shown.verdict.op
                                                                : shrink->best->count;
    for (size_t place = end, tries = 0; place > index && tries < FAULT_PLACES && shrink->budget > 0;
         place--, tries++) {
        shrink_candidate_begin(shrink);
        if (schedule_move_fault(&shrink->candidate, index, place) &&
            shrink_candidate_accept(shrink))
            return true;
    }
    return false;
}

static bool shrink_schedule(struct shrink *shrink)
{
    bool changed = shrink_drop(shrink, 1u << OP_FORK | 1u << OP_SBRK);
    changed |= shrink_drop(shrink, 1u << OP_FAIL_OS);
    changed |= shrink_threads(shrink);
    for (size_t index = shrink->best->count; index-- > 0 && shrink->budget > 0;)
        if (index < shrink->best->count && shrink->best->ops[index].kind == OP_FAIL_OS)
            changed |= shrink_fault(shrink, index);
    return changed;
}

static size_t ops_left(void *context)
{
    return ((const struct shrink *)context)->best->count;
}

static bool is_spent(void *context)
{
    return ((const struct shrink *)context)->budget == 0;
}

static bool remove_ops(void *context, size_t start, size_t end)
{
    struct shrink *shrink = context;
    shrink_candidate_begin(shrink);
    struct trace_op *ops = shrink->candidate.ops;
    memmove(ops + start, ops + end, (shrink->candidate.count - end) * sizeof(*ops));
    shrink->candidate.count -= end - start;
    return shrink_candidate_accept(shrink);
}

static bool shrink_remove_stretches(struct shrink *shrink)
{
    const struct shrink_list ops = {
        .count = ops_left, .remove = remove_ops, .is_spent = is_spent, .context = shrink};
    return shrink_list(&ops);
}

/* ---- the whole ---- */

/* Every block gets a number of its own, in order of appearance. */
static bool shrink_renumber(struct shrink *shrink)
{
    uint32_t *names = calloc(TRACE_SLOTS, sizeof(*names)), next = 0;
    if (names == NULL)
        return false;
    shrink_candidate_begin(shrink);
    for (size_t i = 0; i < shrink->candidate.count && next < TRACE_SLOTS; i++) {
        struct trace_op *op = &shrink->candidate.ops[i];
        unsigned traits = trace_op_traits(op->kind);
        if (op->size_base != SIZE_EXACT)
            op->size_slot = names[op->size_slot];
        if ((traits & OP_ALLOCATES) != 0)
            names[op->slot] = next++;
        if ((traits & OP_TAKES_SLOT) != 0)
            op->slot = names[op->slot];
    }
    free(names);
    return next < TRACE_SLOTS && shrink_candidate_accept(shrink);
}

static bool shrink_round(struct shrink *shrink)
{
    bool changed = shrink_cut_tail(shrink);
    changed |= shrink_schedule(shrink);
    changed |= shrink_remove_stretches(shrink);
    changed |= shrink_simplify_ops(shrink);
    changed |= shrink_renumber(shrink);
    return changed;
}

/* What a run makes of an op whose slot has no block, as the call that would have made it was left
 * out. */
static void pass_null(struct trace_op *op)
{
    switch (op->kind) {
    case OP_FREE:
        *op = (struct trace_op){.kind = OP_FREE_NULL};
        break;
    case OP_REALLOC:
        op->kind = OP_REALLOC_NULL;
        break;
    case OP_REALLOCARRAY:
        op->kind = OP_REALLOCARRAY_NULL;
        break;
    default:
        break;
    }
}

/* Writes down what a run makes of the op, where the blocks of these slots are live. Returns whether
 * the run makes a call of it at all. */
static bool write_out(unsigned offers, const struct slot_set *live, struct trace_op *op)
{
    op->kind = (uint8_t)run_op_kind(offers, (enum op_kind)op->kind);
    enum subject_call call = run_call_of((enum op_kind)op->kind);
    if (op->size_base != SIZE_EXACT && !slot_set_has(live, op->size_slot)) {
        op->size = (int64_t)op->size < 0 ? 0 : op->size;
        op->size_base = SIZE_EXACT;
        op->size_slot = 0;
    }
    if (!slot_set_has(live, op->slot))
        pass_null(op);
    return call == SUBJECT_CALL_COUNT || ((offers >> call & 1) != 0 && !trace_op_is_undefined(op));
}

void shrink_drop_lacking(const struct executor *executor, struct trace *trace, uint32_t *op)
{
    unsigned offers = executor_info(executor)->subject.offers;
    struct slot_set live;
    size_t kept = 0, count = trace->count;
    uint32_t blamed = op != NULL ? *op : VERDICT_NO_OP;
    slot_set_init(&live);
    for (size_t i = 0; i < count; i++) {
        struct trace_op written = trace->ops[i];
        if (i == blamed)
            *op = (uint32_t)kept;
        if (write_out(offers, &live, &written) && slot_set_apply(&live, &written) == NULL)
            trace->ops[kept++] = written;
    }
    trace->count = kept;
}

static int shrink_within(struct executor *executor, struct trace *trace,
                         const struct verdict *verdict, uint32_t family, unsigned budget,
                         struct execution *ret_execution, char error[SUBJECT_ERROR_MAX])
{
    struct verdict class = *verdict; /* the caller's may be part of what ret_execution points to */
    struct shrink shrink = {.executor = executor,
                            .class = &class,
                            .best = trace,
                            .reproduction.family = family,
                            .budget = budget,
                            .error = error};
    if (budget == 0)
        shrink.budget = BUDGET_DEFAULT;
    shrink.candidate.capacity = trace->capacity > trace->count ? trace->capacity : trace->count + 1;
    shrink.candidate.ops = calloc(shrink.candidate.capacity, sizeof(struct trace_op));
    if (shrink.candidate.ops == NULL) {
        memcpy(error, "out of memory", sizeof("out of memory"));
        return ENOMEM;
    }
    shrink_drop_lacking(executor, trace, NULL);
    bool is_shown = shrink_settle(&shrink);
    if (is_shown)
        (void)(shrink_cut_tail(&shrink), shrink_to_history(&shrink));
    while (is_shown && shrink_round(&shrink) && shrink.budget > 0 && shrink.failure == 0)
        ;
    free(shrink.candidate.ops);
    if (shrink.failure != 0 && !(is_shown && shrink.failure == ECANCELED))
        return shrink.failure;
    shrink.shown.outcomes = NULL; /* of a run that is not the last one */
    shrink.shown.features = NULL;
    *ret_execution = shrink.shown;
    return 0;
}

int shrink_trace(struct executor *executor, struct trace *trace, const struct verdict *verdict,
                 unsigned budget, struct execution *ret_execution, char error[SUBJECT_ERROR_MAX])
{
    return shrink_within(executor, trace, verdict, 0, budget, ret_execution, error);
}

int shrink_to_cause(struct executor *executor, struct trace *trace, const struct verdict *verdict,
                    unsigned budget, struct execution *ret_execution, char error[SUBJECT_ERROR_MAX])
{
    return shrink_within(executor, trace, verdict, check_family((enum check)verdict->check), budget,
                         ret_execution, error);
}
