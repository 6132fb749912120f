/* SPDX-License-Identifier: MIT */
/*
 * The set of live slots: what decoding, normalising, parsing and mutating ask of it. `struct
 * slot_set` itself and slot_set_apply are in trace.h. All searches are cyclic over TRACE_SLOTS and
 * cost at most a few words of the bitmap where few slots are live.
 */
#ifndef HARNESS_TRACE_SLOTS_H
#define HARNESS_TRACE_SLOTS_H

#include "harness/trace/trace.h"

/* Nothing live. Cheaper than zeroing the whole struct. */
void slot_set_init(struct slot_set *set);
/* Whether slot, below TRACE_SLOTS, is live. */
bool slot_set_has(const struct slot_set *set, uint32_t slot);
/* Makes a slot, below TRACE_SLOTS, live or dead; nothing happens if it already is. */
void slot_set_add(struct slot_set *set, uint32_t slot);
void slot_set_remove(struct slot_set *set, uint32_t slot);

/* The first live slot at or after `from`, cyclic. Some slot must be live. */
uint32_t slot_set_next_live(const struct slot_set *set, uint32_t from);
/* The first dead slot at or after `from`, cyclic. Some slot must be dead. */
uint32_t slot_set_next_dead(const struct slot_set *set, uint32_t from);

/* Moves the slots of op, whose other fields are in order, to the next that fit, and has its effect
 * on the set. False: op fits nowhere. A size relative to a slot becomes exact where no slot is
 * live. */
bool slot_set_fit(struct slot_set *set, struct trace_op *op);

#endif
