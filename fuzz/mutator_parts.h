/* SPDX-License-Identifier: MIT */
/*
 * Internal header of the mutator, for its files and its tests.
 *
 *   mutator.c          decode, pick mutations, normalise, encode
 *   mutator_ops.c      the mutations
 *   mutator_motifs.c   short sequences that allocator bugs need
 *   mutator_values.c   the distributions of sizes, alignments, counts and ops
 */
#ifndef FUZZ_MUTATOR_PARTS_H
#define FUZZ_MUTATOR_PARTS_H

#include "harness/base/random.h"
#include "harness/trace/trace.h"

/* Register once: name and weight. Most of what is added comes in runs: a mutation of one op costs
 * an execution as well, and seldom makes ops meet. */
#define MUTATIONS(M)      \
    M(insert_op, 8)       \
    M(insert_lifetime, 6) \
    M(insert_motif, 12)   \
    M(insert_comb, 2)     \
    M(insert_run, 20)     \
    M(insert_use, 8)      \
    M(redraw_stretch, 6)  \
    M(delete_op, 8)       \
    M(delete_stretch, 5)  \
    M(duplicate_op, 5)    \
    M(swap_ops, 8)        \
    M(move_stretch, 4)    \
    M(copy_stretch, 3)    \
    M(repeat_stretch, 2)  \
    M(retarget_slot, 10)  \
    M(nudge_size, 12)     \
    M(replace_size, 8)    \
    M(replace_extra, 5)   \
    M(change_kind, 12)

enum mutation {
#define M(name, weight) MUTATE_##name,
    MUTATIONS(M)
#undef M
        MUTATION_COUNT
};

/* Applies one mutation; false if the trace has nothing that it could change, or no room. The result
 * need not be well-formed. */
bool mutation_apply(enum mutation mutation, struct trace *trace, struct random *random);
const char *mutation_name(enum mutation mutation);
/* One drawn by weight. */
enum mutation mutation_pick(struct random *random);

/* Inserts ops in front of position at; false, with nothing changed, if there is no room. */
bool ops_insert(struct trace *trace, size_t at, const struct trace_op *ops, size_t count);
void ops_delete(struct trace *trace, size_t at, size_t count);

/* Draws the operands of op's kind: size with its base, count, alignment, number. */
void values_draw(struct trace_op *op, struct random *random);
/* Draws only a size; op->extra, where it is an alignment, is looked at. */
void size_draw(struct trace_op *op, struct random *random);
void extra_draw(struct trace_op *op, struct random *random);
/* Gives op, drawn already, the size of another, unless that request would be expensive. */
void size_keep(struct trace_op *op, const struct trace_op *other);
/* Moves a size to the other side of a landmark, or a step on. */
void size_nudge(struct trace_op *op, struct random *random);
/* A whole op of any kind, weighted. */
struct trace_op op_draw(struct random *random);
/* About a whole number of pages, low to high of them. */
uint64_t paged_size_draw(struct random *random, uint64_t low, uint64_t high);
/* A size for a sequence of ops: small or medium, sometimes around the mmap threshold. */
uint64_t story_size_draw(struct random *random);

enum { STORY_OPS_MAX = 96, STORY_SLOTS = 48 };
/* Writes one motif, or a comb (many blocks, every other freed, bigger ones into the holes) on the
 * slots given; returns its number of ops. */
size_t motif_write(struct trace_op ret_ops[STORY_OPS_MAX], const uint32_t slots[STORY_SLOTS],
                   struct random *random);
size_t comb_write(struct trace_op ret_ops[STORY_OPS_MAX], const uint32_t slots[STORY_SLOTS],
                  struct random *random);
/* Writes a few ops of any kind on a few of the slots, many of one size. Not well-formed. */
size_t run_write(struct trace_op ret_ops[STORY_OPS_MAX], const uint32_t slots[STORY_SLOTS],
                 struct random *random);
size_t motif_count(void);
/* The motif of that index, with size as its unit. */
size_t motif_write_index(size_t index, uint64_t size, const uint32_t slots[STORY_SLOTS],
                         struct trace_op ret_ops[STORY_OPS_MAX], struct random *random);

#endif
