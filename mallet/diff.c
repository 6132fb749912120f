/* SPDX-License-Identifier: MIT */
/*
 * A difference is an open choice if the request leaves one (zero bytes, a bad alignment, more
 * memory than anybody must have, a failing system), or if the op works on a slot in which the
 * subjects differ already.
 */
#include "mallet/diff.h"

#include "harness/finding/finding.h"

#include <stdint.h>

/* A request below must succeed anywhere; one of the address space's size nowhere. */
#define MODEST_TOTAL  ((uint64_t)256 << 20)
#define ADDRESS_SPACE ((uint64_t)1 << 47)

struct comparison {
    const struct trace *trace;
    const struct observation *observations;
    size_t count;
    bool os_may_fail;                /* a fail-os came before */
    uint64_t open[TRACE_SLOTS / 64]; /* slots in which the subjects differ by choice */
};

static bool is_open(const struct comparison *comparison, uint32_t slot)
{
    return (comparison->open[slot / 64] >> slot % 64 & 1) != 0;
}

static void set_open(struct comparison *comparison, uint32_t slot, bool open)
{
    uint64_t bit = 1ull << slot % 64;
    comparison->open[slot / 64] =
        open ? comparison->open[slot / 64] | bit : comparison->open[slot / 64] & ~bit;
}

static bool is_same(const struct outcome *left, const struct outcome *right)
{
    return left->returned_null == right->returned_null && left->error == right->error;
}

static bool all_agree(const struct comparison *comparison, size_t op)
{
    const struct outcome *first = NULL;
    for (size_t i = 0; i < comparison->count; i++) {
        const struct outcome *outcome = &comparison->observations[i].outcomes[op];
        if (!outcome->ran)
            continue;
        if (first != NULL && !is_same(first, outcome))
            return false;
        first = outcome;
    }
    return true;
}

static bool has_bad_alignment(const struct trace_op *op)
{
    unsigned traits = trace_op_traits(op->kind);
    if (!(traits & OP_HAS_ALIGNMENT))
        return false;
    bool is_power = op->extra != 0 && (op->extra & (op->extra - 1)) == 0;
    return !is_power || (traits & OP_WANTS_EVEN && op->size % op->extra != 0);
}

/* The request leaves it to the subject whether to succeed, or with which errno to fail. */
static bool leaves_choice(const struct comparison *comparison, const struct trace_op *op)
{
    unsigned traits = trace_op_traits(op->kind);
    if ((traits & OP_HAS_SIZE) == 0)
        return false;
    if (op->size_base == SIZE_USABLE || has_bad_alignment(op) || comparison->os_may_fail)
        return true;
    if (op->size_base == SIZE_REQUESTED)
        return is_open(comparison, op->size_slot);
    uint64_t total = trace_op_total(op);
    return total == 0 || (total > MODEST_TOTAL && total < ADDRESS_SPACE);
}

static enum difference compare_op(struct comparison *comparison, size_t i)
{
    const struct trace_op *op = &comparison->trace->ops[i];
    unsigned traits = trace_op_traits(op->kind);
    bool is_used_open = (traits & (OP_USES | OP_FREES)) != 0 && is_open(comparison, op->slot);
    if (op->kind == OP_FAIL_OS)
        comparison->os_may_fail = op->extra != 0;
    bool is_agreed = all_agree(comparison, i);
    enum difference difference = is_agreed                                       ? DIFFERENCE_NONE
                                 : is_used_open || leaves_choice(comparison, op) ? DIFFERENCE_CHOICE
                                                                                 : DIFFERENCE_REAL;
    if (traits & OP_HAS_SIZE)
        set_open(comparison, op->slot, !is_agreed);
    return difference;
}

size_t diff_outcomes(const struct trace *trace, const struct observation *observations,
                     size_t count, enum difference *ret_differences)
{
    struct comparison comparison = {.trace = trace, .observations = observations, .count = count};
    size_t real = 0;
    for (size_t i = 0; i < trace->count; i++) {
        ret_differences[i] = compare_op(&comparison, i);
        real += ret_differences[i] == DIFFERENCE_REAL;
    }
    return real;
}

bool diff_verdicts(const struct observation *observations, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (observations[i].is_clean != observations[0].is_clean)
            return true;
        if (!observations[i].is_clean &&
            !verdict_is_same(&observations[i].verdict, &observations[0].verdict))
            return true;
    }
    return false;
}

bool diff_choice(const struct observation *observations, size_t count, enum policy_id id)
{
    uint8_t first = POLICY_UNKNOWN;
    for (size_t i = 0; i < count; i++) {
        uint8_t choice = observations[i].info.policy.choice[id];
        if (choice == POLICY_UNKNOWN)
            continue;
        if (first != POLICY_UNKNOWN && first != choice)
            return true;
        first = choice;
    }
    return false;
}
