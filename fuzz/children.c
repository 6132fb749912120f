/* SPDX-License-Identifier: MIT */
/* Parents lie in a table of fixed places; when all are taken, a new one replaces any. */
#include "fuzz/children.h"

#include "fuzz/mutator.h"
#include "harness/base/random.h"
#include "harness/run/run.h"
#include "harness/trace/trace.h"

#include <stdbool.h>
#include <string.h>

_Static_assert(RUN_COUNTERS % sizeof(uint64_t) == 0, "whole words");

enum {
    BYTES_MAX = 4096, /* of a parent; longer inputs are the engine's alone */
    PARENTS_MAX = 4096,
    WAITING_MAX = 256,
    CROSS_ONE_IN = 8,
    BYTE_ONE_IN = 10, /* reaches operands that the mutator never draws */
    DEPTH_MAX = 5,    /* mutations in a row, as the engine makes them */
    BATCH_MS = 100    /* of a batch: the engine has limits of its own for an input */
};

struct input {
    uint16_t length;
    uint8_t bytes[BYTES_MAX];
};

static struct {
    size_t capacity; /* bytes of a child; 0: the engine does not mutate yet */
    size_t batch;    /* children with an input */
    struct random random;
    uint8_t seen[RUN_COUNTERS]; /* bit per magnitude of the counter */
    struct input parents[PARENTS_MAX];
    size_t parent_count;
    struct input children[CHILDREN_MAX];
    struct input waiting[WAITING_MAX];
    size_t waiting_count;
} state = {.batch = CHILDREN_MAX};

void children_start(size_t capacity)
{
    state.capacity = capacity < BYTES_MAX ? capacity : BYTES_MAX;
}

size_t children_count(void)
{
    return state.capacity > 0 ? state.batch : 0;
}

void children_note_time(size_t runs, uint64_t ms)
{
    size_t fit = ms > 0 ? BATCH_MS * runs / ms : CHILDREN_MAX;
    state.batch = fit < CHILDREN_MAX ? fit : CHILDREN_MAX;
}

static const struct input *pick_parent(void)
{
    return &state.parents[random_below(&state.random, state.parent_count)];
}

size_t children_make(size_t index, const uint8_t **ret_bytes)
{
    struct input *child = &state.children[index];
    if (state.parent_count == 0)
        return 0;
    const struct input *parent = pick_parent(), *other = pick_parent();
    size_t capacity = state.capacity;
    size_t length = parent->length < capacity ? parent->length : capacity;
    uint64_t seed = random_next(&state.random);
    if (random_once_in(&state.random, CROSS_ONE_IN)) {
        length = mutator_cross(parent->bytes, length, other->bytes, other->length, child->bytes,
                               capacity, seed);
    } else {
        memcpy(child->bytes, parent->bytes, length);
        if (random_once_in(&state.random, BYTE_ONE_IN))
            child->bytes[random_below(&state.random, length)] = (uint8_t)seed;
        for (uint64_t left = random_between(&state.random, 1, DEPTH_MAX); left > 0; left--)
            length = mutator_mutate(child->bytes, length, capacity, random_next(&state.random));
    }
    child->length = (uint16_t)length;
    *ret_bytes = child->bytes;
    return length;
}

/* As engines count: 1, 2, 4, 8 … of a behaviour differ. */
static bool see(size_t index, uint8_t counter)
{
    uint8_t bit = counter == 0 ? 0 : (uint8_t)(1u << (31 - __builtin_clz(counter)));
    bool is_new = (state.seen[index] & bit) != bit;
    state.seen[index] |= bit;
    return is_new;
}

/* Most counters are zero: a word of them is asked first. */
static bool is_new_behaviour(const uint8_t *features)
{
    bool is_new = false;
    uint64_t word;
    for (size_t i = 0; i < RUN_COUNTERS; i += sizeof word) {
        memcpy(&word, features + i, sizeof word);
        for (size_t j = i; word != 0 && j < i + sizeof word; j++)
            is_new |= see(j, features[j]);
    }
    return is_new;
}

static void put(struct input *input, const uint8_t *bytes, size_t length)
{
    memcpy(input->bytes, bytes, length);
    input->length = (uint16_t)length;
}

void children_learn(const uint8_t *bytes, size_t length, const uint8_t *features, bool is_child)
{
    if (length > BYTES_MAX || length < TRACE_RECORD_SIZE || !is_new_behaviour(features))
        return;
    size_t place = state.parent_count < PARENTS_MAX ? state.parent_count++
                                                    : random_below(&state.random, PARENTS_MAX);
    put(&state.parents[place], bytes, length);
    if (is_child && state.waiting_count < WAITING_MAX)
        put(&state.waiting[state.waiting_count++], bytes, length);
}

size_t children_take(uint8_t *ret_bytes, size_t capacity)
{
    while (state.waiting_count > 0) {
        const struct input *input = &state.waiting[--state.waiting_count];
        if (input->length > capacity)
            continue;
        memcpy(ret_bytes, input->bytes, input->length);
        return input->length;
    }
    return 0;
}
