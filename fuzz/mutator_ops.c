/* SPDX-License-Identifier: MIT */
/*
 * The mutations. Each takes a well-formed trace and may leave one that is not: the caller
 * normalises, which moves misplaced slots to the next that fit. So a mutation need not track
 * what is live; motifs and lifetimes only look for slots that no op names yet.
 *
 * Each returns false, with nothing changed, if it does not apply to the trace or there is no room.
 */
#include "fuzz/mutator_parts.h"

#include <string.h>

enum { STRETCH_MAX = 24, REPEATS_MAX = 8, SWAP_DISTANCE = 8, TRIES = 8 };

bool ops_insert(struct trace *trace, size_t at, const struct trace_op *ops, size_t count)
{
    if (count > trace->capacity - trace->count)
        return false;
    memmove(trace->ops + at + count, trace->ops + at, (trace->count - at) * sizeof *ops);
    memcpy(trace->ops + at, ops, count * sizeof *ops);
    trace->count += count;
    return true;
}

void ops_delete(struct trace *trace, size_t at, size_t count)
{
    memmove(trace->ops + at, trace->ops + at + count,
            (trace->count - at - count) * sizeof *trace->ops);
    trace->count -= count;
}

/* Where to insert: in front of any op, or at the end. The front of the trace counts as one more
 * place: there the call finds the allocator untouched. */
static size_t gap_draw(const struct trace *trace, struct random *random)
{
    if (random_once_in(random, 6))
        return 0;
    return random_below(random, trace->count + 1);
}

/* A run of ops, not empty unless the trace is. */
struct stretch {
    size_t first;
    size_t count;
};

static struct stretch stretch_draw(const struct trace *trace, struct random *random)
{
    size_t first = random_below(random, trace->count);
    size_t most = trace->count - first < STRETCH_MAX ? trace->count - first : STRETCH_MAX;
    return (struct stretch){first, most ? random_between(random, 1, most) : 0};
}

/* An op that has one of these traits, or NULL; a few tries find it where such ops are not
 * rare. */
static struct trace_op *op_find(const struct trace *trace, unsigned traits, struct random *random)
{
    for (unsigned i = 0; i < TRIES && trace->count > 0; i++) {
        struct trace_op *op = &trace->ops[random_below(random, trace->count)];
        if (trace_op_traits(op->kind) & traits)
            return op;
    }
    return NULL;
}

/* Fills slots with narrow ones that no op names; repeats them if there are too few. */
static void fresh_slots(const struct trace *trace, uint32_t *ret_slots, size_t count,
                        struct random *random)
{
    bool is_used[TRACE_NARROW_SLOTS] = {false};
    for (size_t i = 0; i < trace->count; i++)
        if (trace->ops[i].slot < TRACE_NARROW_SLOTS)
            is_used[trace->ops[i].slot] = true;
    uint32_t slot = (uint32_t)random_below(random, 32);
    for (size_t i = 0; i < count; i++) {
        for (unsigned tries = 0; is_used[slot] && tries < TRACE_NARROW_SLOTS; tries++)
            slot = (slot + 1) % TRACE_NARROW_SLOTS;
        is_used[slot] = true;
        ret_slots[i] = slot;
    }
}

static bool insert_op(struct trace *trace, struct random *random)
{
    struct trace_op op = op_draw(random);
    return ops_insert(trace, gap_draw(trace, random), &op, 1);
}

/* A block that lives across a part of the trace. */
static bool insert_lifetime(struct trace *trace, struct random *random)
{
    static const uint8_t KINDS[] = {OP_MALLOC, OP_MALLOC, OP_CALLOC, OP_POSIX_MEMALIGN,
                                    OP_ALIGNED_ALLOC};
    uint32_t slot;
    fresh_slots(trace, &slot, 1, random);
    struct trace_op birth = {.kind = KINDS[random_below(random, sizeof KINDS)], .slot = slot};
    struct trace_op death = {.kind = OP_FREE, .slot = slot};
    values_draw(&birth, random);
    size_t from = gap_draw(trace, random);
    size_t to = random_between(random, from, trace->count);
    if (trace->capacity - trace->count < 2)
        return false;
    return ops_insert(trace, to, &death, 1) && ops_insert(trace, from, &birth, 1);
}

static bool insert_motif(struct trace *trace, struct random *random)
{
    uint32_t slots[STORY_SLOTS];
    struct trace_op story[STORY_OPS_MAX];
    fresh_slots(trace, slots, STORY_SLOTS, random);
    return ops_insert(trace, gap_draw(trace, random), story, motif_write(story, slots, random));
}

static bool insert_comb(struct trace *trace, struct random *random)
{
    uint32_t slots[STORY_SLOTS];
    struct trace_op story[STORY_OPS_MAX];
    fresh_slots(trace, slots, STORY_SLOTS, random);
    return ops_insert(trace, gap_draw(trace, random), story, comb_write(story, slots, random));
}

static bool insert_run(struct trace *trace, struct random *random)
{
    uint32_t slots[STORY_SLOTS];
    struct trace_op story[STORY_OPS_MAX];
    fresh_slots(trace, slots, STORY_SLOTS, random);
    return ops_insert(trace, gap_draw(trace, random), story, run_write(story, slots, random));
}

/* A block allocated by one call is passed to another: realloc, malloc_usable_size, free_sized. */
static bool insert_use(struct trace *trace, struct random *random)
{
    struct trace_op *birth = op_find(trace, OP_ALLOCATES, random);
    if (!birth)
        return false;
    size_t after = (size_t)(birth - trace->ops) + 1;
    struct trace_op use = op_draw(random);
    while (!(trace_op_traits(use.kind) & (OP_USES | OP_FREES)))
        use = op_draw(random);
    use.slot = birth->slot;
    return ops_insert(
        trace, random_once_in(random, 2) ? after : random_between(random, after, trace->count),
        &use, 1);
}

static bool delete_op(struct trace *trace, struct random *random)
{
    if (trace->count < 2)
        return false;
    ops_delete(trace, random_below(random, trace->count), 1);
    return true;
}

static bool delete_stretch(struct trace *trace, struct random *random)
{
    struct stretch stretch = stretch_draw(trace, random);
    if (stretch.count == trace->count)
        return false;
    ops_delete(trace, stretch.first, stretch.count);
    return true;
}

static bool duplicate_op(struct trace *trace, struct random *random)
{
    if (trace->count == 0)
        return false;
    struct trace_op op = trace->ops[random_below(random, trace->count)];
    return ops_insert(trace, gap_draw(trace, random), &op, 1);
}

static bool swap_ops(struct trace *trace, struct random *random)
{
    if (trace->count < 2)
        return false;
    size_t a = random_below(random, trace->count - 1);
    size_t most = trace->count - 1 - a < SWAP_DISTANCE ? trace->count - 1 - a : SWAP_DISTANCE;
    size_t b = a + random_between(random, 1, most);
    struct trace_op op = trace->ops[a];
    trace->ops[a] = trace->ops[b];
    trace->ops[b] = op;
    return true;
}

static bool move_stretch(struct trace *trace, struct random *random)
{
    struct stretch stretch = stretch_draw(trace, random);
    struct trace_op ops[STRETCH_MAX];
    if (stretch.count == trace->count)
        return false;
    memcpy(ops, trace->ops + stretch.first, stretch.count * sizeof *ops);
    ops_delete(trace, stretch.first, stretch.count);
    return ops_insert(trace, gap_draw(trace, random), ops, stretch.count);
}

static bool copy_stretch(struct trace *trace, struct random *random)
{
    struct stretch stretch = stretch_draw(trace, random);
    struct trace_op ops[STRETCH_MAX];
    memcpy(ops, trace->ops + stretch.first, stretch.count * sizeof *ops);
    return stretch.count > 0 && ops_insert(trace, gap_draw(trace, random), ops, stretch.count);
}

/* An unrolled loop: one repetition may be harmless, eight fill a bin. */
static bool repeat_stretch(struct trace *trace, struct random *random)
{
    struct stretch stretch = stretch_draw(trace, random);
    struct trace_op ops[STRETCH_MAX];
    memcpy(ops, trace->ops + stretch.first, stretch.count * sizeof *ops);
    bool is_changed = false;
    for (size_t repeats = random_between(random, 1, REPEATS_MAX); repeats > 0 && stretch.count > 0;
         repeats--)
        is_changed |= ops_insert(trace, stretch.first, ops, stretch.count);
    return is_changed;
}

/* To a slot that another op names, so that both work on one block. */
static bool retarget_slot(struct trace *trace, struct random *random)
{
    struct trace_op *op = op_find(trace, OP_TAKES_SLOT, random);
    struct trace_op *other = op_find(trace, OP_TAKES_SLOT, random);
    if (!op || !other)
        return false;
    uint32_t slot =
        op->slot != other->slot ? other->slot : (uint32_t)random_below(random, TRACE_NARROW_SLOTS);
    if (op->size_base != SIZE_EXACT && random_once_in(random, 3))
        op->size_slot = slot;
    else
        op->slot = slot;
    return true;
}

static bool nudge_size(struct trace *trace, struct random *random)
{
    struct trace_op *op = op_find(trace, OP_HAS_SIZE, random);
    if (op)
        size_nudge(op, random);
    return op != NULL;
}

static bool replace_size(struct trace *trace, struct random *random)
{
    struct trace_op *op = op_find(trace, OP_HAS_SIZE, random);
    if (op)
        size_draw(op, random);
    return op != NULL;
}

static bool replace_extra(struct trace *trace, struct random *random)
{
    struct trace_op *op = op_find(trace, OP_TAKES_EXTRA, random);
    if (op)
        extra_draw(op, random);
    return op != NULL;
}

/* Every operand of a stretch. */
static bool redraw_stretch(struct trace *trace, struct random *random)
{
    struct stretch stretch = stretch_draw(trace, random);
    for (size_t i = 0; i < stretch.count; i++)
        values_draw(&trace->ops[stretch.first + i], random);
    return stretch.count > 0;
}

/* To another kind of the same effect, else any; slot and size stay where the new kind takes
 * them. */
static bool change_kind(struct trace *trace, struct random *random)
{
    if (trace->count == 0)
        return false;
    struct trace_op *op =
        &trace->ops[random_once_in(random, 8) ? 0 : random_below(random, trace->count)];
    struct trace_op drawn = op_draw(random);
    unsigned effect = trace_op_traits(op->kind) & OP_TAKES_SLOT;
    bool is_any = random_once_in(random, 4);
    for (unsigned i = 0;
         i < TRIES && (drawn.kind == op->kind ||
                       (!is_any && (trace_op_traits(drawn.kind) & OP_TAKES_SLOT) != effect));
         i++)
        drawn = op_draw(random);
    drawn.slot = op->slot;
    if (trace_op_traits(op->kind) & trace_op_traits(drawn.kind) & OP_HAS_SIZE &&
        random_once_in(random, 2))
        size_keep(&drawn, op);
    *op = drawn;
    return true;
}

static const struct {
    const char *name;
    unsigned weight;
    bool (*apply)(struct trace *trace, struct random *random);
} TABLE[MUTATION_COUNT] = {
#define M(name, weight) [MUTATE_##name] = {#name, weight, name},
    MUTATIONS(M)
#undef M
};

bool mutation_apply(enum mutation mutation, struct trace *trace, struct random *random)
{
    return TABLE[mutation].apply(trace, random);
}

const char *mutation_name(enum mutation mutation)
{
    return TABLE[mutation].name;
}

enum mutation mutation_pick(struct random *random)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < MUTATION_COUNT; i++)
        sum += TABLE[i].weight;
    uint64_t ticket = random_below(random, sum);
    unsigned mutation = 0;
    for (; ticket >= TABLE[mutation].weight; mutation++)
        ticket -= TABLE[mutation].weight;
    return (enum mutation)mutation;
}
