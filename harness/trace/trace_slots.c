/* SPDX-License-Identifier: MIT */
/*
 * The set of live slots: a bitmap of two levels, so that the next live slot is found in a few steps
 * and an empty set costs 17 words to make, not a thousand. Decoding makes one for each trace, half
 * a million times a second.
 *
 * Invariant: bit w of `occupied` is set exactly if live[w] has a bit set. A word of `live` whose
 * bit is clear may hold anything (the set may lie on an uninitialised stack); it is read only
 * behind slot_word.
 */
#include "harness/trace/trace_slots.h"

#include <string.h>

enum { WORD_BITS = 64, WORDS = TRACE_SLOTS / WORD_BITS, OCCUPIED_WORDS = WORDS / WORD_BITS };

static uint64_t bit_of(uint32_t index)
{
    return (uint64_t)1 << (index % WORD_BITS);
}

static uint64_t slot_word(const struct slot_set *set, uint32_t word)
{
    return set->occupied[word / WORD_BITS] & bit_of(word) ? set->live[word] : 0;
}

/* The first occupied word at or after `from`, cyclic; one exists. */
static uint32_t next_occupied(const struct slot_set *set, uint32_t from)
{
    uint32_t word = from / WORD_BITS % OCCUPIED_WORDS;
    uint64_t bits = set->occupied[word] & (~(uint64_t)0 << (from % WORD_BITS));
    while (bits == 0) {
        word = (word + 1) % OCCUPIED_WORDS;
        bits = set->occupied[word];
    }
    return word * WORD_BITS + (uint32_t)__builtin_ctzll(bits);
}

void slot_set_init(struct slot_set *set)
{
    memset(set->occupied, 0, sizeof set->occupied);
    set->count = 0;
}

bool slot_set_has(const struct slot_set *set, uint32_t slot)
{
    return (slot_word(set, slot / WORD_BITS) & bit_of(slot)) != 0;
}

void slot_set_add(struct slot_set *set, uint32_t slot)
{
    uint32_t word = slot / WORD_BITS;
    uint64_t bits = slot_word(set, word);
    set->count += (bits & bit_of(slot)) == 0;
    set->live[word] = bits | bit_of(slot);
    set->occupied[word / WORD_BITS] |= bit_of(word);
}

void slot_set_remove(struct slot_set *set, uint32_t slot)
{
    if (!slot_set_has(set, slot))
        return;
    uint32_t word = slot / WORD_BITS;
    set->count--;
    set->live[word] &= ~bit_of(slot);
    if (set->live[word] == 0)
        set->occupied[word / WORD_BITS] &= ~bit_of(word);
}

uint32_t slot_set_next_live(const struct slot_set *set, uint32_t from)
{
    uint32_t word = from / WORD_BITS;
    uint64_t bits = slot_word(set, word) & (~(uint64_t)0 << (from % WORD_BITS));
    if (bits == 0) {
        word = next_occupied(set, (word + 1) % WORDS);
        bits = set->live[word];
    }
    return word * WORD_BITS + (uint32_t)__builtin_ctzll(bits);
}

uint32_t slot_set_next_dead(const struct slot_set *set, uint32_t from)
{
    uint32_t word = from / WORD_BITS;
    uint64_t bits = ~slot_word(set, word) & (~(uint64_t)0 << (from % WORD_BITS));
    while (bits == 0) {
        word = (word + 1) % WORDS;
        bits = ~slot_word(set, word);
    }
    return word * WORD_BITS + (uint32_t)__builtin_ctzll(bits);
}

static void fit_size(const struct slot_set *set, struct trace_op *op)
{
    if (op->size_base == SIZE_EXACT)
        return;
    if (set->count > 0) {
        op->size_slot = slot_set_next_live(set, op->size_slot);
        return;
    }
    op->size_base = SIZE_EXACT;
    op->size_slot = 0;
    if ((int64_t)op->size < 0)
        op->size = 0;
}

bool slot_set_fit(struct slot_set *set, struct trace_op *op)
{
    unsigned traits = trace_op_traits(op->kind);
    if (traits & OP_ALLOCATES ? set->count == TRACE_SLOTS
                              : traits & (OP_USES | OP_FREES) && set->count == 0)
        return false;
    fit_size(set, op); /* before the effect: the slot of the size was live when the call was made */
    if (traits & OP_ALLOCATES) {
        op->slot = slot_set_next_dead(set, op->slot);
        slot_set_add(set, op->slot);
    } else if (traits & (OP_USES | OP_FREES)) {
        op->slot = slot_set_next_live(set, op->slot);
    }
    if (traits & OP_FREES)
        slot_set_remove(set, op->slot);
    return true;
}
