/* SPDX-License-Identifier: MIT */
/*
 * What all forms of a trace share: the table of ops, what makes an op well-formed, and how a list
 * is made so.
 *
 * An op is well-formed where its slots are live or dead as its traits demand, and everywhere only
 * if its fields are in range and the fields that it does not use are 0: then two equal ops are
 * equal bytes, and each form says all there is.
 */
#include "harness/trace/trace.h"

#include "harness/base/memory.h"
#include "harness/trace/trace_slots.h"

enum { DELTA_MIN = -16, DELTA_MAX = 15, NUMBER_MAX = 0xFFFF };

const uint16_t op_traits[OP_KINDS] = {
#define OP(id, text, function, traits, pairing) [OP_##id] = (traits),
    TRACE_OPS(OP)
#undef OP
};

static const uint8_t pairings[OP_KINDS] = {
#define OP(id, text, function, traits, pairing) [OP_##id] = (pairing),
    TRACE_OPS(OP)
#undef OP
};

static const char *const names[OP_KINDS] = {
#define OP(id, text, function, traits, pairing) [OP_##id] = (text),
    TRACE_OPS(OP)
#undef OP
};

const char *trace_op_name(enum op_kind kind)
{
    return names[kind];
}

bool trace_op_may_free(enum op_kind kind, enum op_kind maker)
{
    return pairings[kind] == PAIRS_ANY || pairings[kind] == pairings[maker];
}

bool trace_op_is_alignment_valid(const struct trace_op *op)
{
    unsigned traits = trace_op_traits(op->kind);
    if (!(traits & OP_HAS_ALIGNMENT))
        return true;
    bool is_power = op->extra != 0 && (op->extra & (op->extra - 1)) == 0;
    return is_power && (!(traits & OP_RETURNS_ERROR) || op->extra % sizeof(void *) == 0);
}

bool trace_op_is_undefined(const struct trace_op *op)
{
    return (trace_op_traits(op->kind) & OP_IS_EXTENSION) != 0 && !trace_op_is_alignment_valid(op);
}

uint64_t trace_op_total(const struct trace_op *op)
{
    uint64_t total = op->size;
    bool has_count = (trace_op_traits(op->kind) & OP_HAS_COUNT) != 0;
    if (op->size_base != SIZE_EXACT ||
        (has_count && __builtin_mul_overflow(op->extra, op->size, &total)))
        return UINT64_MAX;
    return total;
}

uint32_t trace_touch_ms(const struct trace *trace, size_t count)
{
    uint32_t most = 0;
    for (size_t i = 0; i < count; i++) {
        const struct trace_op *op = &trace->ops[i];
        bool has_count = (trace_op_traits(op->kind) & OP_HAS_COUNT) != 0;
        uint32_t ms = memory_touch_ms(has_count ? op->extra * op->size : op->size);
        if (op->size_base == SIZE_EXACT && ms > most)
            most = ms;
    }
    return most;
}

static bool is_delta(uint64_t size)
{
    return (int64_t)size >= DELTA_MIN && (int64_t)size <= DELTA_MAX;
}

/* Zeroes what op does not use and brings the rest into range, slots excepted. */
static void op_tidy(struct trace_op *op)
{
    unsigned traits = trace_op_traits(op->kind);
    op->reserved = 0;
    op->reserved2 = 0;
    if (!(traits & OP_TAKES_SLOT))
        op->slot = 0;
    if (!(traits & OP_TAKES_EXTRA))
        op->extra = 0;
    if (traits & OP_HAS_NUMBER)
        op->extra &= NUMBER_MAX;
    if (!(traits & OP_HAS_SIZE))
        op->size = 0;
    if (!(traits & OP_HAS_SIZE) || op->size_base > SIZE_USABLE)
        op->size_base = SIZE_EXACT;
    if (op->size_base == SIZE_EXACT)
        op->size_slot = 0;
    else if (!is_delta(op->size))
        op->size = (uint64_t)(int64_t)((int64_t)op->size < 0 ? DELTA_MIN : DELTA_MAX);
}

/* Why the fields are wrong wherever the op stands, or 0. */
static const char *field_problem(const struct trace_op *op)
{
    if (op->kind >= OP_KINDS)
        return "unknown op";
    if (op->slot >= TRACE_SLOTS || op->size_slot >= TRACE_SLOTS)
        return "slot out of range";
    struct trace_op tidy = *op;
    op_tidy(&tidy);
    if (tidy.extra != op->extra || tidy.slot != op->slot)
        return trace_op_traits(op->kind) & OP_HAS_NUMBER
                   ? "number out of range"
                   : "a field that the op does not use is not 0";
    if (tidy.size != op->size && tidy.size_base != SIZE_EXACT)
        return "delta of a relative size out of range";
    if (tidy.size != op->size || tidy.size_base != op->size_base || tidy.size_slot != op->size_slot)
        return "a field that the op does not use is not 0";
    return op->reserved || op->reserved2 ? "a reserved field is not 0" : NULL;
}

const char *slot_set_apply(struct slot_set *set, const struct trace_op *op)
{
    const char *problem = field_problem(op);
    if (problem)
        return problem;
    unsigned traits = trace_op_traits(op->kind);
    if (traits & OP_ALLOCATES && slot_set_has(set, op->slot))
        return "slot is already live";
    if (traits & (OP_USES | OP_FREES) && !slot_set_has(set, op->slot))
        return "slot is not live";
    if (op->size_base != SIZE_EXACT && !slot_set_has(set, op->size_slot))
        return "slot of a relative size is not live";
    if (traits & OP_ALLOCATES)
        slot_set_add(set, op->slot);
    if (traits & OP_FREES)
        slot_set_remove(set, op->slot);
    return NULL;
}

static bool op_retarget(struct slot_set *set, struct trace_op *op)
{
    op->slot %= TRACE_SLOTS;
    op->size_slot %= TRACE_SLOTS;
    return slot_set_fit(set, op);
}

_Static_assert(OP_KINDS <= 32, "a bit for each kind");

uint32_t trace_kinds(const struct trace *trace)
{
    uint32_t kinds = 0;
    for (size_t i = 0; i < trace->count; i++)
        kinds |= UINT32_C(1) << trace->ops[i].kind;
    return kinds;
}

void trace_normalize(struct trace *trace, enum normalize_mode mode)
{
    struct slot_set set;
    slot_set_init(&set);
    size_t kept = 0;
    for (size_t i = 0; i < trace->count; i++) {
        struct trace_op op = trace->ops[i];
        if (op.kind >= OP_KINDS)
            continue;
        op_tidy(&op);
        if (mode == NORMALIZE_RETARGET ? op_retarget(&set, &op) : slot_set_apply(&set, &op) == NULL)
            trace->ops[kept++] = op;
    }
    trace->count = kept;
}
