/* SPDX-License-Identifier: MIT */
/*
 * Large blocks: a cache of one slot, which is an atomic pointer, before a list under a lock. The
 * lock is one word, a futex: free, held, held with sleepers. Whoever slept takes it as the latter,
 * because others may sleep behind it.
 */
#include "threaded.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LOCK_FREE, LOCK_HELD, LOCK_SLEEPERS };

static struct {
    _Atomic(uint32_t) lock;
    struct header *list; /* by no order; under the lock */
    _Atomic(struct header *) slot;
} large;

void large_lock(void)
{
    uint32_t state = LOCK_FREE;
    if (atomic_compare_exchange_strong_explicit(&large.lock, &state, LOCK_HELD,
                                                memory_order_acquire, memory_order_relaxed))
        return;
    while (atomic_exchange_explicit(&large.lock, LOCK_SLEEPERS, memory_order_acquire) != LOCK_FREE)
        (void)syscall(SYS_futex, &large.lock, FUTEX_WAIT_PRIVATE, LOCK_SLEEPERS, NULL, NULL, 0);
}

static bool has_sleepers_after_unlock(void)
{
    if (!has_mutant(MUTANT_lost_wakeup))
        return atomic_exchange_explicit(&large.lock, LOCK_FREE, memory_order_release) ==
               LOCK_SLEEPERS;
    bool has_sleepers = atomic_load_explicit(&large.lock, memory_order_relaxed) == LOCK_SLEEPERS;
    atomic_store_explicit(&large.lock, LOCK_FREE, memory_order_release);
    return has_sleepers;
}

void large_unlock(void)
{
    if (has_sleepers_after_unlock())
        (void)syscall(SYS_futex, &large.lock, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* ---- the slot ---- */

static struct header *slot_take(void)
{
    if (!has_mutant(MUTANT_racy_one_slot_cache))
        return atomic_exchange_explicit(&large.slot, NULL, memory_order_acquire);
    struct header *block = atomic_load_explicit(&large.slot, memory_order_acquire);
    if (block != NULL)
        atomic_store_explicit(&large.slot, NULL, memory_order_relaxed);
    return block;
}

static bool slot_give(struct header *block)
{
    struct header *expected = NULL;
    return atomic_compare_exchange_strong_explicit(&large.slot, &expected, block,
                                                   memory_order_release, memory_order_relaxed);
}

/* ---- the list ---- */

static void list_give(struct header *block)
{
    large_lock();
    block->next_large = large.list;
    large.list = block;
    large_unlock();
}

static struct header *list_take(size_t capacity)
{
    large_lock();
    struct header **link = &large.list;
    while (*link != NULL && (*link)->capacity < capacity)
        link = &(*link)->next_large;
    struct header *block = *link;
    if (block != NULL)
        *link = block->next_large;
    large_unlock();
    return block;
}

struct header *large_take(size_t capacity)
{
    struct header *block = slot_take();
    if (block != NULL && block->capacity >= capacity)
        return block;
    if (block != NULL)
        list_give(block);
    block = list_take(capacity);
    return block != NULL ? block : block_map(capacity);
}

void large_give(struct header *block)
{
    if (!slot_give(block))
        list_give(block);
}
