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

#include "mutants/registry.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern int threaded_mutant; /* set before the first call */

static inline bool has_mutant(enum mutant_id mutant)
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
