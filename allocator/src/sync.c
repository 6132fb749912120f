/* SPDX-License-Identifier: MIT */
/*
 * The slow half of the lock: a short spin, then a futex. One of the few files that know the
 * operating system.
 *
 * A waiter marks a held lock as contended before it sleeps, so the holder knows that somebody must
 * be woken. A waiter that gets the lock takes it as contended too, because others may sleep behind
 * it; that costs one needless wake-up at worst.
 */
#include "sync.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SPINS_BEFORE_SLEEP = 64 };

/* The thread between the prepare handler and the parent or child handler; 0: none. Guarded by the
 * registry's lock, read by waiters. */
static _Atomic(uintptr_t) fork_thread;

/* Not the kernel's number of the thread: that is another one in the child. */
static uintptr_t thread_id(void)
{
    return (uintptr_t)pthread_self();
}

static void futex_wait(struct sync_lock *lock, uint32_t state)
{
    (void)syscall(SYS_futex, &lock->state, FUTEX_WAIT_PRIVATE, state, NULL, NULL, 0);
}

static bool state_swap(struct sync_lock *lock, uint32_t from, uint32_t to)
{
    return atomic_compare_exchange_strong_explicit(&lock->state, &from, to, memory_order_acquire,
                                                   memory_order_relaxed);
}

static bool lock_spin(struct sync_lock *lock)
{
    for (int spin = 0; spin < SPINS_BEFORE_SLEEP; spin++) {
        if (atomic_load_explicit(&lock->state, memory_order_relaxed) == SYNC_FREE &&
            state_swap(lock, SYNC_FREE, SYNC_HELD))
            return true;
        if (spin % 16 == 15)
            sched_yield();
    }
    return false;
}

COLD void sync_lock_wait(struct sync_lock *lock)
{
    if (lock_spin(lock))
        return;
    for (;;) {
        uint32_t state = atomic_load_explicit(&lock->state, memory_order_relaxed);
        if (state == SYNC_FREE) {
            if (state_swap(lock, SYNC_FREE, SYNC_CONTENDED))
                return;
        } else if (state == SYNC_HELD) {
            (void)state_swap(lock, SYNC_HELD, SYNC_CONTENDED);
        } else if (state >= SYNC_FORKING &&
                   atomic_load_explicit(&fork_thread, memory_order_relaxed) == thread_id()) {
            return;
        } else if (state == SYNC_FORKING) {
            (void)state_swap(lock, SYNC_FORKING, SYNC_FORKING_CONTENDED);
        } else {
            futex_wait(lock, state);
        }
    }
}

COLD void sync_lock_wake(struct sync_lock *lock)
{
    (void)syscall(SYS_futex, &lock->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void sync_fork_enter(void)
{
    ASSERT(atomic_load_explicit(&fork_thread, memory_order_relaxed) == 0);
    atomic_store_explicit(&fork_thread, thread_id(), memory_order_relaxed);
}

void sync_fork_leave(void)
{
    atomic_store_explicit(&fork_thread, 0, memory_order_relaxed);
}

void sync_fork_begin(struct sync_lock *lock)
{
    ASSERT(sync_lock_is_held(lock));
    if (atomic_load_explicit(&lock->state, memory_order_relaxed) != SYNC_OFF &&
        atomic_exchange_explicit(&lock->state, SYNC_FORKING, memory_order_relaxed) ==
            SYNC_CONTENDED)
        atomic_store_explicit(&lock->state, SYNC_FORKING_CONTENDED, memory_order_relaxed);
}

/* Several may sleep: all are woken. In the child nobody sleeps. */
void sync_fork_end(struct sync_lock *lock)
{
    if (atomic_load_explicit(&lock->state, memory_order_relaxed) == SYNC_OFF)
        return;
    ASSERT(atomic_load_explicit(&lock->state, memory_order_relaxed) >= SYNC_FORKING);
    if (atomic_exchange_explicit(&lock->state, SYNC_FREE, memory_order_release) ==
        SYNC_FORKING_CONTENDED)
        (void)syscall(SYS_futex, &lock->state, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}
