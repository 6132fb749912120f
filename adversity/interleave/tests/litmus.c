/* SPDX-License-Identifier: MIT */
#include "litmus.h"

#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ONE(name) void litmus_##name##_1(void)
#define TWO(name) void litmus_##name##_2(void)

static _Atomic(int) flag, other_flag;
static _Atomic(uint32_t) word;
static volatile int data;
static volatile char bytes[2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_spinlock_t spin;

static void publish(memory_order order)
{
    data = 1;
    atomic_store_explicit(&flag, 1, order);
}

static void read_if_published(memory_order order)
{
    if (atomic_load_explicit(&flag, order) != 0)
        (void)data;
}

/* ---- orders ---- */

ONE(release_acquire)
{
    publish(memory_order_release);
}
TWO(release_acquire)
{
    read_if_published(memory_order_acquire);
}

ONE(release_relaxed)
{
    publish(memory_order_release);
}
TWO(release_relaxed)
{
    read_if_published(memory_order_relaxed);
}

ONE(relaxed_acquire)
{
    publish(memory_order_relaxed);
}
TWO(relaxed_acquire)
{
    read_if_published(memory_order_acquire);
}

ONE(fences)
{
    data = 1;
    atomic_thread_fence(memory_order_release);
    atomic_store_explicit(&flag, 1, memory_order_relaxed);
}
TWO(fences)
{
    if (atomic_load_explicit(&flag, memory_order_relaxed) == 0)
        return;
    atomic_thread_fence(memory_order_acquire);
    (void)data;
}

ONE(fence_missing)
{
    litmus_fences_1();
}
TWO(fence_missing)
{
    read_if_published(memory_order_relaxed);
}

ONE(sequence_continues)
{
    publish(memory_order_release);
    atomic_fetch_add_explicit(&flag, 1, memory_order_relaxed);
}
TWO(sequence_continues)
{
    if (atomic_load_explicit(&flag, memory_order_acquire) == 2)
        (void)data;
}

ONE(sequence_is_broken)
{
    publish(memory_order_release);
    atomic_store_explicit(&flag, 2, memory_order_relaxed);
}
TWO(sequence_is_broken)
{
    if (atomic_load_explicit(&flag, memory_order_acquire) == 2)
        (void)data;
}

/* ---- plain accesses ---- */

ONE(neighbouring_bytes)
{
    bytes[0] = 1;
}
TWO(neighbouring_bytes)
{
    bytes[1] = 1;
}

ONE(two_readers)
{
    (void)data;
}
TWO(two_readers)
{
    (void)data;
}

ONE(plain_and_atomic)
{
    atomic_store(&word, 1);
}
TWO(plain_and_atomic)
{
    memset((void *)(uintptr_t)&word, 0, sizeof word);
}

/* ---- locks ---- */

ONE(mutex)
{
    pthread_mutex_lock(&lock);
    data++;
    pthread_mutex_unlock(&lock);
}
TWO(mutex)
{
    litmus_mutex_1();
}

ONE(mutex_forgotten)
{
    litmus_mutex_1();
}
TWO(mutex_forgotten)
{
    data++;
}

ONE(trylock)
{
    if (pthread_mutex_trylock(&lock) != 0)
        return;
    data++;
    pthread_mutex_unlock(&lock);
}
TWO(trylock)
{
    litmus_trylock_1();
}

ONE(recursive_mutex)
{
    pthread_mutex_lock(&recursive);
    pthread_mutex_lock(&recursive);
    pthread_mutex_unlock(&recursive);
    data++;
    pthread_mutex_unlock(&recursive);
}
TWO(recursive_mutex)
{
    litmus_recursive_mutex_1();
}

ONE(relock)
{
    pthread_mutex_lock(&lock);
    pthread_mutex_lock(&lock);
}
TWO(relock) {}

/* ---- conditions ---- */

ONE(condition)
{
    pthread_mutex_lock(&lock);
    while (data == 0)
        pthread_cond_wait(&condition, &lock);
    pthread_mutex_unlock(&lock);
}
TWO(condition)
{
    pthread_mutex_lock(&lock);
    data = 1;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&lock);
}

ONE(signal_before_wait)
{
    pthread_mutex_lock(&lock);
    pthread_cond_wait(&condition, &lock);
    pthread_mutex_unlock(&lock);
}
TWO(signal_before_wait)
{
    litmus_condition_2();
}

ONE(timed_wait_ends)
{
    struct timespec until = {0, 0};
    pthread_mutex_lock(&lock);
    (void)pthread_cond_timedwait(&condition, &lock, &until);
    pthread_mutex_unlock(&lock);
}
TWO(timed_wait_ends) {}

static void set_data(void)
{
    data = 1;
}
ONE(once)
{
    pthread_once(&once, set_data);
    (void)data;
}
TWO(once)
{
    litmus_once_1();
}

/* ---- spinning ---- */

ONE(spin_lock)
{
    pthread_spin_lock(&spin);
    data++;
    pthread_spin_unlock(&spin);
}
TWO(spin_lock)
{
    litmus_spin_lock_1();
}

ONE(spin_with_yield)
{
    publish(memory_order_release);
}
TWO(spin_with_yield)
{
    while (atomic_load_explicit(&flag, memory_order_acquire) == 0)
        sched_yield();
    (void)data;
}

ONE(spin_on_two)
{
    publish(memory_order_release);
}
TWO(spin_on_two)
{
    while (atomic_load_explicit(&flag, memory_order_acquire) == 0 &&
           atomic_load_explicit(&other_flag, memory_order_relaxed) == 0)
        ;
}

static void take_and_give_with_yield(void)
{
    while (atomic_exchange_explicit(&flag, 1, memory_order_acquire) != 0)
        sched_yield();
    data++;
    atomic_store_explicit(&flag, 0, memory_order_release);
}
ONE(spin_in_turn)
{
    take_and_give_with_yield();
}
TWO(spin_in_turn)
{
    take_and_give_with_yield();
}
ONE(spin_for_ever)
{
    while (atomic_load_explicit(&flag, memory_order_relaxed) == 0)
        ;
}
TWO(spin_for_ever) {}

ONE(loop_without_step)
{
    while (data == 0)
        ;
}
TWO(loop_without_step) {}

/* ---- the system ---- */

ONE(futex_is_woken)
{
    while (atomic_load(&word) == 0)
        (void)syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}
TWO(futex_is_woken)
{
    atomic_store(&word, 1);
    (void)syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

ONE(futex_is_missed)
{
    (void)syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}
TWO(futex_is_missed)
{
    (void)syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static char *map_page(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static _Atomic(char *) page;

ONE(unmapped_in_use)
{
    char *mine = map_page();
    mine[0] = 1;
    atomic_store(&page, mine);
    munmap(mine, 4096);
}
TWO(unmapped_in_use)
{
    char *mine = atomic_load(&page);
    if (mine != NULL)
        (void)*(volatile char *)mine;
}

ONE(mapped_again)
{
    char *mine = map_page();
    mine[0] = 1;
    munmap(mine, 4096);
}
TWO(mapped_again)
{
    litmus_mapped_again_1();
}

static char buffer[64];

ONE(copied_in_bulk)
{
    char local[64] = {0};
    memcpy(buffer, local, sizeof local);
}
TWO(copied_in_bulk)
{
    memset(buffer + 32, 1, 8);
}

ONE(dies)
{
    abort();
}
TWO(dies) {}

ONE(exits)
{
    _exit(0);
}
TWO(exits) {}
