/* SPDX-License-Identifier: MIT */
/*
 * Every lock and every atomic of anvil, in one place so that a model build can schedule them.
 *
 * The lock is one word: free, held, contended (held, and somebody sleeps), forking (held by the
 * thread inside fork), forking and contended. Taking it is one compare-and-swap; a program that
 * never started a thread pays not even that. The thread that forks may enter again between the fork
 * handlers, because other handlers may allocate; every other thread waits. The lock of a heap that
 * one thread at a time uses is off: acquiring and releasing it does nothing.
 */
#ifndef ANVIL_SYNC_H
#define ANVIL_SYNC_H

#include "base.h"

#include <stdatomic.h>
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define SYNC_KNOWS_SINGLE_THREADED 1
#pragma weak __libc_single_threaded /* the library may be linked to another C library */
#else
#define SYNC_KNOWS_SINGLE_THREADED 0
#endif

enum sync_state {
    SYNC_FREE,
    SYNC_HELD,
    SYNC_CONTENDED,
    SYNC_FORKING,
    SYNC_FORKING_CONTENDED,
    SYNC_OFF
};

struct sync_lock {
    _Atomic(uint32_t) state; /* enum sync_state */
};

/* A pointer that is published once or replaced whole. */
struct sync_pointer {
    _Atomic(uintptr_t) bits;
};

/* A small word that its one user at a time changes without a lock, and others may look at. */
struct sync_tag {
    _Atomic(uint32_t) bits;
};

/* True only while the process has exactly one thread. */
static inline bool sync_is_single_threaded(void)
{
#if SYNC_KNOWS_SINGLE_THREADED
    return &__libc_single_threaded != NULL && __libc_single_threaded != 0;
#else
    return false;
#endif
}

void sync_lock_wait(struct sync_lock *lock);
void sync_lock_wake(struct sync_lock *lock);

static inline void sync_lock_acquire(struct sync_lock *lock)
{
    uint32_t expected = SYNC_FREE;
    if (UNLIKELY(atomic_load_explicit(&lock->state, memory_order_relaxed) == SYNC_OFF))
        return;
    if (LIKELY(sync_is_single_threaded())) {
        if (LIKELY(atomic_load_explicit(&lock->state, memory_order_relaxed) == SYNC_FREE)) {
            atomic_store_explicit(&lock->state, SYNC_HELD, memory_order_relaxed);
            return;
        }
    } else if (LIKELY(atomic_compare_exchange_strong_explicit(&lock->state, &expected, SYNC_HELD,
                                                              memory_order_acquire,
                                                              memory_order_relaxed))) {
        return; /* acquire: pairs with the release in sync_lock_release */
    }
    sync_lock_wait(lock);
}

static inline void sync_lock_release(struct sync_lock *lock)
{
    uint32_t state = atomic_load_explicit(&lock->state, memory_order_relaxed);
    ASSERT(state != SYNC_FREE);
    if (UNLIKELY(state >= SYNC_FORKING))
        return; /* off; or entered again inside fork: the handlers release it */
    if (LIKELY(sync_is_single_threaded()))
        atomic_store_explicit(&lock->state, SYNC_FREE, memory_order_relaxed);
    else if (UNLIKELY(atomic_exchange_explicit(&lock->state, SYNC_FREE, memory_order_release) ==
                      SYNC_CONTENDED))
        sync_lock_wake(lock);
}

/* For assertions: is the lock held, by whomever, or off? */
static inline bool sync_lock_is_held(const struct sync_lock *lock)
{
    return atomic_load_explicit(&lock->state, memory_order_relaxed) != SYNC_FREE;
}

/* Before the lock is used at all. */
static inline void sync_lock_turn_off(struct sync_lock *lock)
{
    atomic_store_explicit(&lock->state, SYNC_OFF, memory_order_relaxed);
}

/* The fork handlers: begin marks the lock, already held, as held by the forking thread; end
 * releases it, in the parent and in the child. */
void sync_fork_enter(void);
void sync_fork_leave(void);
void sync_fork_begin(struct sync_lock *lock);
void sync_fork_end(struct sync_lock *lock);

/* Acquire: pairs with the release of sync_publish and sync_publish_once, so that the reader sees
 * what was written before. */
static inline void *sync_read(const struct sync_pointer *pointer)
{
    return (void *)atomic_load_explicit(&pointer->bits, memory_order_acquire);
}

static inline void sync_publish(struct sync_pointer *pointer, const void *value)
{
    atomic_store_explicit(&pointer->bits, (uintptr_t)value, memory_order_release);
}

/* Publishes value if the pointer was NULL. Returns what the pointer holds afterwards. */
static inline void *sync_publish_once(struct sync_pointer *pointer, void *value)
{
    uintptr_t expected = 0;
    if (atomic_compare_exchange_strong_explicit(&pointer->bits, &expected, (uintptr_t)value,
                                                memory_order_acq_rel, memory_order_acquire))
        return value;
    return (void *)expected;
}

/* Relaxed: for words that readers without the owner's lock only compare. */
static inline uintptr_t sync_word_read(const struct sync_pointer *pointer)
{
    return atomic_load_explicit(&pointer->bits, memory_order_relaxed);
}

static inline void sync_word_write(struct sync_pointer *pointer, uintptr_t value)
{
    atomic_store_explicit(&pointer->bits, value, memory_order_relaxed);
}

/*
 * For words that are written once, before whatever leads a reader to need them: whoever was handed
 * a block of the first leaf has seen where that is. Others, who only compare, read the old value or
 * the new one. Not atomic, because for that gcc 12 takes two instructions in place of one operand.
 */
static inline uintptr_t sync_settled_read(const struct sync_pointer *pointer)
{
#ifdef __SANITIZE_THREAD__
    return sync_word_read(pointer);
#else
    return *(const uintptr_t *)pointer;
#endif
}

/* Relaxed: whoever is handed a block has seen what its giver wrote to the tag. */
static inline uint32_t sync_tag_read(const struct sync_tag *tag)
{
    return atomic_load_explicit(&tag->bits, memory_order_relaxed);
}

static inline void sync_tag_write(struct sync_tag *tag, uint32_t value)
{
    atomic_store_explicit(&tag->bits, value, memory_order_relaxed);
}

#endif
