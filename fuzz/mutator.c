/* SPDX-License-Identifier: MIT */
/*
 * Entry points of the mutator: bytes to ops, a few mutations, ops made well-formed, and back to
 * canonical bytes. Ops that do not fit into the engine's buffer are cut off at the end: a prefix of
 * a well-formed trace is well-formed.
 */
#include "fuzz/mutator.h"

#include "fuzz/mutator_parts.h"

enum { STACKED_MAX = 8, TRIES = 16, CROSS_STRETCH_MAX = 256 };

/* All memory of the mutator. The longest trace can still grow by a story or a few stretches before
 * it is cut. */
static struct {
    struct trace_op ops[MUTATOR_OPS_MAX];
    struct trace_op other[MUTATOR_OPS_MAX];
} scratch;

static struct trace decode_into(struct trace_op ops[MUTATOR_OPS_MAX], const uint8_t *bytes,
                                size_t length)
{
    struct trace trace = {.ops = ops, .capacity = MUTATOR_OPS_MAX};
    trace_decode(bytes, length, &trace);
    return trace;
}

/* Encodes as many of the first ops as fit. An op's bytes do not depend on those before it, so one
 * at a time is as good as all. */
static size_t encode_within(const struct trace *trace, uint8_t *ret_bytes, size_t capacity)
{
    size_t length = 0;
    for (size_t i = 0; i < trace->count; i++) {
        struct trace one = {.ops = trace->ops + i, .count = 1};
        size_t added = trace_encode(&one, ret_bytes + length, capacity - length);
        if (added > capacity - length)
            break;
        length += added;
    }
    return length;
}

static void mutate_once(struct trace *trace, struct random *random)
{
    for (unsigned i = 0; i < TRIES; i++)
        if (mutation_apply(mutation_pick(random), trace, random))
            break;
    trace_normalize(trace, NORMALIZE_RETARGET);
}

/* One op that is always well-formed, for a trace that lost all its ops. */
static void seed_op(struct trace *trace, struct random *random)
{
    trace->ops[0] = (struct trace_op){.kind = OP_MALLOC, .size = random_below(random, 8192)};
    trace->count = 1;
}

/* Three mutations on average: decoding and running cost more than they do, and most bugs need
 * several conditions at once. */
size_t mutator_mutate(uint8_t *bytes, size_t length, size_t capacity, uint64_t seed)
{
    struct random random = {seed};
    struct trace trace = decode_into(scratch.ops, bytes, length);
    unsigned stacked = 1;
    while (stacked < STACKED_MAX && random_below(&random, 3) > 0)
        stacked++;
    for (; stacked > 0; stacked--)
        mutate_once(&trace, &random);
    if (trace.count == 0)
        seed_op(&trace, &random);
    size_t written = encode_within(&trace, bytes, capacity);
    if (written > 0)
        return written;
    seed_op(&trace, &random); /* the first op was too long */
    return encode_within(&trace, bytes, capacity);
}

/* The front of a, then the rest of b. */
static void cross_tail(struct trace *a, const struct trace *b, struct random *random)
{
    a->count = random_between(random, 1, a->count);
    size_t first = random_below(random, b->count);
    size_t room = a->capacity - a->count;
    size_t count = b->count - first < room ? b->count - first : room;
    ops_insert(a, a->count, b->ops + first, count);
}

/* A stretch of b somewhere in a. */
static void cross_stretch(struct trace *a, const struct trace *b, struct random *random)
{
    size_t first = random_below(random, b->count);
    size_t most = b->count - first < CROSS_STRETCH_MAX ? b->count - first : CROSS_STRETCH_MAX;
    size_t count = random_between(random, 1, most);
    if (count > a->capacity - a->count)
        a->count = a->capacity - count;
    ops_insert(a, random_below(random, a->count + 1), b->ops + first, count);
}

/* Short runs of each in turn: two users of one heap. */
static void cross_interleave(struct trace *a, const struct trace *b, struct random *random)
{
    size_t at = random_below(random, a->count + 1);
    for (size_t taken = 0; taken < b->count && at <= a->count;) {
        size_t run = random_between(random, 1, 8);
        run = run < b->count - taken ? run : b->count - taken;
        if (!ops_insert(a, at, b->ops + taken, run))
            return;
        taken += run;
        at += run + random_between(random, 1, 8);
    }
}

static void slots_shift(struct trace *trace, uint32_t by)
{
    for (size_t i = 0; i < trace->count; i++) {
        struct trace_op *op = &trace->ops[i];
        op->slot = op->slot < TRACE_NARROW_SLOTS ? (op->slot + by) % TRACE_NARROW_SLOTS : op->slot;
        op->size_slot = op->size_slot < TRACE_NARROW_SLOTS
                            ? (op->size_slot + by) % TRACE_NARROW_SLOTS
                            : op->size_slot;
    }
}

size_t mutator_cross(const uint8_t *a, size_t a_length, const uint8_t *b, size_t b_length,
                     uint8_t *ret_bytes, size_t capacity, uint64_t seed)
{
    struct random random = {seed};
    struct trace mine = decode_into(scratch.ops, a, a_length);
    struct trace other = decode_into(scratch.other, b, b_length);
    if (random_once_in(&random, 2))
        /* else the two meet on the same blocks */
        slots_shift(&other, (uint32_t)random_below(&random, TRACE_NARROW_SLOTS));
    if (mine.count == 0)
        seed_op(&mine, &random);
    uint64_t form = other.count > 0 ? random_below(&random, 3) : 3;
    if (form == 0)
        cross_tail(&mine, &other, &random);
    else if (form == 1)
        cross_stretch(&mine, &other, &random);
    else if (form == 2)
        cross_interleave(&mine, &other, &random);
    trace_normalize(&mine, NORMALIZE_RETARGET);
    return encode_within(&mine, ret_bytes, capacity);
}

size_t mutator_count_ops(const uint8_t *bytes, size_t length)
{
    return decode_into(scratch.ops, bytes, length).count;
}

size_t mutator_delete_ops(const uint8_t *bytes, size_t length, size_t first, size_t count,
                          uint8_t *ret_bytes, size_t capacity)
{
    struct trace trace = decode_into(scratch.ops, bytes, length);
    first = first < trace.count ? first : trace.count;
    count = count < trace.count - first ? count : trace.count - first;
    ops_delete(&trace, first, count);
    trace_normalize(&trace, NORMALIZE_DROP);
    return trace_encode(&trace, ret_bytes, capacity);
}
