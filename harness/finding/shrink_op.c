/* SPDX-License-Identifier: MIT */
/*
 * Each op of a trace plainer: a simpler function, an exact size, plain calls in the place of one,
 * smaller numbers. Numbers are tried in ascending order, then bisected to the exact border, which
 * is what a reader wants to see ("fails from 4097 on").
 */
#include "harness/finding/shrink_internal.h"
#include "harness/run/run.h"
#include "harness/trace/trace_slots.h"

#include <string.h>

enum { BISECT_STEPS = 24, PAGE = 4096 };
#define BISECT_MAX (UINT64_C(1) << 40) /* beyond it only landmarks say anything */

static bool shrink_replace(struct shrink *shrink, size_t index, const struct trace_op *op)
{
    shrink_candidate_begin(shrink);
    shrink->candidate.ops[index] = *op;
    return shrink_candidate_accept(shrink);
}

/* The plainest op with the same effect on its slot. */
static uint8_t simplest_kind(uint8_t kind)
{
    unsigned traits = trace_op_traits(kind);
    if (traits & OP_ALLOCATES)
        return OP_MALLOC;
    if (traits & OP_USES && traits & OP_HAS_SIZE)
        return OP_REALLOC;
    return traits & OP_FREES ? OP_FREE : kind;
}

static uint64_t alignment_of(const struct trace_op *op)
{
    unsigned traits = trace_op_traits(op->kind);
    return (traits & OP_IS_PAGED) != 0 ? PAGE : (traits & OP_HAS_ALIGNMENT) != 0 ? op->extra : 0;
}

/* Plain functions do not align. In search of a cause the size may grow for it. */
static bool shrink_alignment(struct shrink *shrink, size_t index, struct trace_op *op)
{
    uint64_t size = op->size, alignment = alignment_of(&shrink->best->ops[index]);
    if (shrink->reproduction.family == 0 || alignment == 0 || op->size_base != SIZE_EXACT ||
        size > BISECT_MAX || alignment > BISECT_MAX)
        return false;
    op->size = size > alignment ? size : alignment;
    if (shrink_replace(shrink, index, op))
        return true;
    op->size = size + alignment;
    return shrink_replace(shrink, index, op);
}

static bool shrink_kind(struct shrink *shrink, size_t index)
{
    struct trace_op op = shrink->best->ops[index];
    uint8_t simplest = simplest_kind(op.kind);
    if (simplest == op.kind)
        return false;
    if (op.size_base == SIZE_EXACT)
        op.size = trace_op_total(&op);
    op.kind = simplest;
    op.extra = 0;
    return shrink_replace(shrink, index, &op) || shrink_alignment(shrink, index, &op);
}

/* Puts others in the place of one op. */
static bool shrink_exchange(struct shrink *shrink, size_t index, const struct trace_op *others,
                            size_t count)
{
    shrink_candidate_begin(shrink);
    struct trace *candidate = &shrink->candidate;
    if (candidate->count + count - 1 > shrink->best->capacity)
        return false;
    memmove(candidate->ops + index + count, candidate->ops + index + 1,
            (candidate->count - index - 1) * sizeof *others);
    memcpy(candidate->ops + index, others, count * sizeof *others);
    candidate->count += count - 1;
    return shrink_candidate_accept(shrink);
}

static uint32_t first_unused_slot(const struct trace *trace)
{
    uint32_t unused = 0;
    for (size_t i = 0; i < trace->count; i++)
        if (trace->ops[i].slot >= unused)
            unused = trace->ops[i].slot + 1;
    return unused;
}

/* What the block in `slot` was last asked to hold before op `index`, as far as the trace alone
 * tells. */
static uint64_t requested_before(const struct trace *trace, size_t index, uint32_t slot)
{
    uint64_t delta = 0;
    while (index-- > 0) {
        const struct trace_op *op = &trace->ops[index];
        if (op->slot != slot || (trace_op_traits(op->kind) & OP_HAS_SIZE) == 0)
            continue;
        if (op->size_base == SIZE_EXACT)
            return trace_op_total(op) + delta;
        delta += op->size;
        slot = op->size_slot;
    }
    return delta;
}

enum { CALLS_MAX = 128, CHILD_REALLOCS = 16 };

struct calls {
    struct trace_op list[CALLS_MAX];
    size_t count;
};

static void add_call(struct calls *calls, uint8_t kind, uint32_t slot, uint64_t size)
{
    if (calls->count < CALLS_MAX)
        calls->list[calls->count++] = (struct trace_op){.kind = kind, .slot = slot, .size = size};
}

/* What a forked child does, see run_threads.c: it resizes what it inherited, allocates, frees all,
 * and allocates again. */
static void add_childs_calls(struct shrink *shrink, size_t index, uint32_t unused,
                             struct calls *calls)
{
    static struct slot_set live;
    live = (struct slot_set){0};
    for (size_t i = 0; i < index; i++)
        (void)slot_set_apply(&live, &shrink->best->ops[i]);
    size_t left = live.count < CHILD_REALLOCS ? live.count : CHILD_REALLOCS;
    for (uint32_t slot = 0; slot < unused && left > 0; slot++) {
        if (!slot_set_has(&live, slot))
            continue;
        uint64_t size = requested_before(shrink->best, index, slot);
        add_call(calls, OP_REALLOC, slot, left-- % 2 != 0 ? size + size / 2 + 100 : size / 2 + 1);
    }
    for (uint32_t i = 0; i < RUN_CHILD_BLOCKS; i++)
        add_call(calls, OP_MALLOC, unused + i, UINT64_C(16) << 2 * i);
    for (uint32_t slot = 0; slot < unused + RUN_CHILD_BLOCKS; slot++)
        if (slot >= unused || slot_set_has(&live, slot))
            add_call(calls, OP_FREE, slot, 0);
    for (uint32_t i = 0; i < RUN_CHILD_BLOCKS; i++)
        add_call(calls, OP_MALLOC, unused + RUN_CHILD_BLOCKS + i, UINT64_C(16) << 2 * i);
}

/* An aligned block leaves a gap free before it, of a size that only the subject knows. */
static bool shrink_gap(struct shrink *shrink, size_t index, uint32_t unused)
{
    const struct trace_op op = shrink->best->ops[index];
    uint64_t alignment = alignment_of(&op);
    for (uint64_t gap = 2 * alignment; alignment < BISECT_MAX && gap >= 16 && shrink->budget > 0;
         gap /= 2) {
        struct calls calls = {0};
        add_call(&calls, OP_MALLOC, unused, gap);
        add_call(&calls, OP_MALLOC, op.slot, op.size);
        add_call(&calls, OP_FREE, unused, 0);
        if (shrink_exchange(shrink, index, calls.list, calls.count))
            return true;
    }
    return false;
}

/* In search of a cause: whether plain calls do as well. */
static bool shrink_split(struct shrink *shrink, size_t index)
{
    const struct trace_op op = shrink->best->ops[index];
    unsigned traits = trace_op_traits(op.kind);
    uint32_t unused = first_unused_slot(shrink->best);
    struct calls calls = {0};
    if (shrink->reproduction.family == 0 || op.size_base != SIZE_EXACT ||
        unused + CALLS_MAX > TRACE_SLOTS)
        return false;
    if (op.kind == OP_FORK) {
        add_childs_calls(shrink, index, unused, &calls);
    } else if ((traits & OP_USES) != 0 && (traits & OP_HAS_SIZE) != 0) {
        add_call(&calls, OP_FREE, op.slot, 0);
        add_call(&calls, OP_MALLOC, op.slot, trace_op_total(&op));
    } else {
        return shrink_gap(shrink, index, unused);
    }
    return shrink_exchange(shrink, index, calls.list, calls.count);
}

static bool shrink_base(struct shrink *shrink, size_t index)
{
    struct trace_op op = shrink->best->ops[index];
    if (op.size_base == SIZE_EXACT)
        return false;
    op.size += requested_before(shrink->best, index, op.size_slot);
    op.size_base = SIZE_EXACT;
    op.size_slot = 0;
    return shrink_replace(shrink, index, &op);
}

/* ---- simplifying numbers ---- */

enum number { NUMBER_SIZE, NUMBER_EXTRA };

static uint64_t *op_number(struct trace_op *op, enum number number)
{
    return number == NUMBER_SIZE ? &op->size : &op->extra;
}

/* Sets a number of one op; if that will not do, of every op that has the same number there, for
 * they may belong together. */
static bool shrink_set(struct shrink *shrink, size_t index, enum number number, uint64_t value)
{
    struct trace_op op = shrink->best->ops[index];
    uint64_t old = *op_number(&op, number);
    *op_number(&op, number) = value;
    if (shrink_replace(shrink, index, &op))
        return true;
    shrink_candidate_begin(shrink);
    size_t same = 0;
    for (size_t i = 0; i < shrink->candidate.count; i++) {
        struct trace_op *other = &shrink->candidate.ops[i];
        if (trace_op_traits(other->kind) != trace_op_traits(op.kind) ||
            other->size_base != op.size_base || *op_number(other, number) != old)
            continue;
        *op_number(other, number) = value;
        same++;
    }
    return same > 1 && shrink_candidate_accept(shrink);
}

/* At the border of a call that takes long for its size, it takes just longer than the limit: only a
 * hang that has nothing to do with the size may get a smaller one. */
static uint64_t most_of_number(const struct shrink *shrink)
{
    return shrink->shown.verdict.check == CHECK_PROGRESS ? PAGE : UINT64_MAX / 2;
}

/* The least of 0 and the powers of two from `least` on that keeps the class; then the exact border
 * between it and the greatest that does not. */
static bool shrink_number(struct shrink *shrink, size_t index, enum number number, uint64_t least,
                          bool bisects)
{
    uint64_t value = *op_number(&shrink->best->ops[index], number), first = value, refused = 0;
    const uint64_t most = most_of_number(shrink);
    for (uint64_t smaller = least; smaller < value; smaller = smaller == 0 ? 1 : smaller * 2) {
        if (shrink_set(shrink, index, number, smaller))
            value = smaller;
        else
            refused = smaller;
        if (index >= shrink->best->count || smaller > most / 2)
            break;
    }
    bisects = bisects && value <= BISECT_MAX && value <= most;
    for (unsigned step = 0; bisects && step < BISECT_STEPS && value > refused + 1; step++) {
        if (index >= shrink->best->count)
            break;
        uint64_t middle = refused + (value - refused) / 2;
        if (shrink_set(shrink, index, number, middle))
            value = middle;
        else
            refused = middle;
    }
    return value != first;
}

static bool shrink_size(struct shrink *shrink, size_t index)
{
    const struct trace_op *op = &shrink->best->ops[index];
    if ((trace_op_traits(op->kind) & OP_HAS_SIZE) == 0 || op->size_base != SIZE_EXACT)
        return false;
    return shrink_number(shrink, index, NUMBER_SIZE, 1, true);
}

/* Powers of two only for an alignment; one that is none is what its op is about, and stays. */
static bool shrink_extra(struct shrink *shrink, size_t index)
{
    const struct trace_op *op = &shrink->best->ops[index];
    unsigned traits = trace_op_traits(op->kind);
    if ((traits & OP_HAS_ALIGNMENT) != 0)
        return (op->extra & (op->extra - 1)) == 0 &&
               shrink_number(shrink, index, NUMBER_EXTRA, sizeof(void *), false);
    return (traits & (OP_HAS_COUNT | OP_HAS_NUMBER)) != 0 &&
           shrink_number(shrink, index, NUMBER_EXTRA, 0, true);
}

/* Kinds and bases first: what a dynamic size amounts to must be seen before the size that it
 * depends on gets smaller. */
bool shrink_simplify_ops(struct shrink *shrink)
{
    static bool (*const steps[])(struct shrink *, size_t) = {shrink_kind, shrink_base, shrink_split,
                                                             shrink_size, shrink_extra};
    bool changed = false;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        for (size_t index = 0; index < shrink->best->count && shrink->budget > 0; index++)
            changed |= steps[i](shrink, index);
    return changed;
}
