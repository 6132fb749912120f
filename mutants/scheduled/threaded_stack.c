/* SPDX-License-Identifier: MIT */
/*
 * Treiber's stack. Every push changes the tag, so that a pop that was interrupted sees that the
 * head is not the one it read, even if the block is. Links are in headers, which are never given
 * back: reading the link of a block that somebody else has taken is harmless.
 */
#include "threaded.h"

enum { TAG_SHIFT = 48 };

static struct header *block_of(uint64_t head)
{
    return (struct header *)(head & (((uint64_t)1 << TAG_SHIFT) - 1));
}

static uint64_t head_of(const struct header *block, uint64_t old_head)
{
    uint64_t tag = has_mutant(MUTANT_aba) ? 0 : (old_head >> TAG_SHIFT) + 1;
    return (uint64_t)(uintptr_t)block | tag << TAG_SHIFT;
}

void stack_push(struct stack *stack, struct header *block)
{
    uint64_t head = atomic_load_explicit(&stack->head, memory_order_relaxed);
    do
        atomic_store_explicit(&block->next, block_of(head), memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&stack->head, &head, head_of(block, head),
                                                  memory_order_release, memory_order_relaxed));
}

struct header *stack_pop(struct stack *stack)
{
    uint64_t head = atomic_load_explicit(&stack->head, memory_order_acquire);
    while (block_of(head) != NULL) {
        struct header *next = atomic_load_explicit(&block_of(head)->next, memory_order_relaxed);
        if (atomic_compare_exchange_weak_explicit(&stack->head, &head, head_of(next, head),
                                                  memory_order_acquire, memory_order_acquire))
            return block_of(head);
    }
    return NULL;
}
