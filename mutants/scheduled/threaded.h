/* SPDX-License-Identifier: MIT */
/*
 * A small allocator for threads, correct unless told which mutant to be. It has
 * what allocators for threads have, each once, so that there is something to break:
 *
 *   up to 64 bytes    a heap per thread, blocks freed elsewhere come back through its remote list
 *                     threaded_small.c
 *   up to 512 bytes   a lock-free stack for all threads, tagged against ABA
 *                     threaded_stack.c
 *   larger            a free list under a futex lock, before it a cache of one slot
 *                     threaded_large.c
 *   above them        the first call, counts per class under mutexes, realloc, fork
 *                     threaded.c
 *
 * Every block is a mapping that is never given back, so that a block that is lost shows at once.
 * Calls are those of malloc, with a prefix.
 */
#ifndef MUTANTS_SCHEDULED_H
#define MUTANTS_SCHEDULED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Register once: name, the check that must name it, the scenario that shows it, what is wrong. */
/* clang-format off */
#define SCHEDULED_MUTANTS(MUTANT) \
    MUTANT(racy_one_slot_cache, overlap, remote_free_vs_malloc, "the cache's slot is read and cleared in two steps: two threads get one block") \
    MUTANT(lost_remote_list, footprint, thread_exit_with_live_blocks, "a thread that ends reads its remote list and closes it in two steps: what comes between is lost; after mimalloc#1117") \
    MUTANT(aba, overlap, free_list_reuse, "the stack's head has no tag: it looks unchanged when its first block left and came back") \
    MUTANT(ab_ba_deadlock, progress, opposite_reallocs, "realloc locks its own class first: two opposite ones wait for each other") \
    MUTANT(lock_held_over_fork, progress, fork_during_allocation, "no fork handlers: the child inherits a lock that nobody will give; after jemalloc#1805, snmalloc#630") \
    MUTANT(weakened_order, race, remote_free_vs_malloc, "a block is pushed to the remote list relaxed instead of release") \
    MUTANT(racy_first_call, race, concurrent_first_call, "the first call sets up without a lock; after rpmalloc#396") \
    MUTANT(lost_wakeup, progress, contended_lock, "the lock looks for sleepers before it is free: who goes to sleep in between sleeps for ever") \
    MUTANT(remote_count_not_atomic, race, two_remote_frees, "frees from elsewhere are counted in a plain variable") \
    MUTANT(missing_lock_in_count, race, contended_lock, "free counts without the class's lock")
/* clang-format on */

enum threaded_mutant {
    THREADED_NONE,
#define MUTANT(name, check, scenario, what) THREADED_##name,
    SCHEDULED_MUTANTS(MUTANT)
#undef MUTANT
};
extern int threaded_mutant; /* set before the first call */

static inline bool has_mutant(enum threaded_mutant mutant)
{
    return threaded_mutant == (int)mutant;
}

struct heap;

/* Before each block. */
struct header {
    struct heap *owner; /* of a small block */
    /* bytes that its class has for it, or that were mapped for a large one */
    size_t capacity;
    _Atomic(struct header *) next; /* in whatever list it is */
    struct header *next_large;     /* in the locked list */
};
_Static_assert(sizeof(struct header) % 16 == 0, "a block is aligned to 16");

/* A stack of blocks that any thread pushes and pops. */
struct stack {
    _Atomic(uint64_t) head; /* 48 bits of pointer below 16 bits of tag */
};
void stack_push(struct stack *stack, struct header *block);
struct header *stack_pop(struct stack *stack);

/* NULL: no memory. */
struct header *block_map(size_t capacity);

void small_init(void);
struct header *small_take(size_t capacity);
void small_give(struct header *block);

struct header *large_take(size_t capacity);
void large_give(struct header *block);
void large_lock(void);
void large_unlock(void);

void *threaded_malloc(size_t size);
void threaded_free(void *pointer);
void *threaded_realloc(void *pointer, size_t size);

#endif
