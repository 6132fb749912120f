/* SPDX-License-Identifier: MIT */
/*
 * A heap per thread. Its own list is its thread's alone. Other threads push to its remote list; the
 * thread takes that whole when its own is empty. A thread that ends closes the remote list and
 * leaves its blocks to everybody, as orphans; a push that finds it closed goes there too. Heaps are
 * not used again.
 */
#include "threaded.h"

#include <pthread.h>

enum { HEAPS_MAX = 16 };

struct heap {
    struct header *own;
    _Atomic(struct header *) remote;
    _Atomic(unsigned) remote_count;
    unsigned remote_count_plain;
};

static struct {
    struct heap heaps[HEAPS_MAX];
    _Atomic(unsigned) used;
    pthread_key_t at_exit;
    struct stack orphans;
} small;
static __thread struct heap *mine;

static struct header closed;

static struct header *next_of(struct header *block)
{
    return atomic_load_explicit(&block->next, memory_order_relaxed);
}

static void orphan_all(struct header *block)
{
    while (block != NULL) {
        struct header *next = next_of(block);
        stack_push(&small.orphans, block);
        block = next;
    }
}

static struct header *remote_close(struct heap *heap)
{
    if (!has_mutant(MUTANT_lost_remote_list))
        return atomic_exchange_explicit(&heap->remote, &closed, memory_order_acquire);
    struct header *remote = atomic_load_explicit(&heap->remote, memory_order_acquire);
    atomic_store_explicit(&heap->remote, &closed, memory_order_relaxed);
    return remote;
}

static void end_thread(void *argument)
{
    struct heap *heap = argument;
    orphan_all(heap->own);
    heap->own = NULL;
    orphan_all(remote_close(heap));
}

void small_init(void)
{
    (void)pthread_key_create(&small.at_exit, end_thread);
}

static struct heap *heap_mine(void)
{
    if (mine == NULL) {
        mine = &small.heaps[atomic_fetch_add_explicit(&small.used, 1, memory_order_relaxed) %
                            HEAPS_MAX];
        (void)pthread_setspecific(small.at_exit, mine);
    }
    return mine;
}

struct header *small_take(size_t capacity)
{
    struct heap *heap = heap_mine();
    if (heap->own == NULL)
        heap->own = atomic_exchange_explicit(&heap->remote, NULL, memory_order_acquire);
    struct header *block = heap->own;
    if (block != NULL)
        heap->own = next_of(block);
    else
        block = stack_pop(&small.orphans);
    if (block == NULL)
        block = block_map(capacity);
    if (block != NULL)
        block->owner = heap;
    return block;
}

static void count_remote(struct heap *heap)
{
    if (has_mutant(MUTANT_remote_count_not_atomic))
        heap->remote_count_plain++;
    else
        atomic_fetch_add_explicit(&heap->remote_count, 1, memory_order_relaxed);
}

static void remote_push(struct heap *heap, struct header *block)
{
    memory_order order =
        has_mutant(MUTANT_weakened_order) ? memory_order_relaxed : memory_order_release;
    struct header *first = atomic_load_explicit(&heap->remote, memory_order_relaxed);
    count_remote(heap);
    do {
        if (first == &closed) {
            stack_push(&small.orphans, block);
            return;
        }
        atomic_store_explicit(&block->next, first, memory_order_relaxed);
    } while (!atomic_compare_exchange_weak_explicit(&heap->remote, &first, block, order,
                                                    memory_order_relaxed));
}

void small_give(struct header *block)
{
    struct heap *heap = heap_mine();
    if (block->owner != heap) {
        remote_push(block->owner, block);
        return;
    }
    atomic_store_explicit(&block->next, heap->own, memory_order_relaxed);
    heap->own = block;
}
