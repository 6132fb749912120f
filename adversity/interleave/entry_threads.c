/* SPDX-License-Identifier: MIT */
/*
 * Waiting and waking, as calls.h renames them: mutexes, spin locks, conditions, once, yields,
 * sleeps and raw futexes. The real objects are not touched, except for a mutex's type; the owner of
 * a lock is kept in its place (place.c). A sleep is a yield: any amount of time may pass. A timed
 * wait ends when no other thread can run.
 */
#include "order.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CODE ((uintptr_t)__builtin_return_address(0))

static struct place *enter(const char *what, const volatile void *object, uintptr_t code)
{
    struct place *place = place_of(object);
    schedule_point(what, place, true, code);
    return place;
}

/* ---- locks ---- */

static bool lock_try(struct place *place)
{
    if (place->owner != 0)
        return false;
    place->owner = (uint8_t)(1 + schedule_self());
    place->depth = 1;
    order_after_read(place, memory_order_acquire);
    schedule_saw(place, place->owner, true);
    return true;
}

static void lock_wait(struct place *place)
{
    while (!lock_try(place))
        (void)schedule_wait(WAIT_LOCK, place, false);
}

static void lock_give(struct place *place)
{
    order_before_write(place, memory_order_release, false);
    place->owner = 0;
    schedule_saw(place, 0, true);
    (void)schedule_wake(WAIT_LOCK, place, THREADS_MAX);
}

static bool is_own(const struct place *place)
{
    return place->owner == 1 + schedule_self();
}

/* What glibc keeps of the type. */
static int type_of(const pthread_mutex_t *mutex)
{
    return mutex->__data.__kind & 3;
}

int interleave_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes);
int interleave_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes)
{
    if (schedule_is_on())
        place_of(mutex)->owner = 0;
    return pthread_mutex_init(mutex, attributes);
}

int interleave_mutex_destroy(pthread_mutex_t *mutex);
int interleave_mutex_destroy(pthread_mutex_t *mutex)
{
    return schedule_is_on() && place_of(mutex)->owner != 0 ? EBUSY : 0;
}

int interleave_mutex_lock(pthread_mutex_t *mutex);
int interleave_mutex_lock(pthread_mutex_t *mutex)
{
    if (!schedule_is_on())
        return pthread_mutex_lock(mutex);
    struct place *place = enter("lock", mutex, CODE);
    if (is_own(place) && type_of(mutex) == PTHREAD_MUTEX_ERRORCHECK_NP)
        return EDEADLK;
    if (is_own(place) && type_of(mutex) == PTHREAD_MUTEX_RECURSIVE_NP)
        place->depth++;
    else
        lock_wait(place);
    return 0;
}

int interleave_mutex_trylock(pthread_mutex_t *mutex);
int interleave_mutex_trylock(pthread_mutex_t *mutex)
{
    if (!schedule_is_on())
        return pthread_mutex_trylock(mutex);
    struct place *place = enter("trylock", mutex, CODE);
    if (is_own(place) && type_of(mutex) == PTHREAD_MUTEX_RECURSIVE_NP) {
        place->depth++;
        return 0;
    }
    if (lock_try(place))
        return 0;
    schedule_saw(place, place->owner, false);
    return EBUSY;
}

int interleave_mutex_unlock(pthread_mutex_t *mutex);
int interleave_mutex_unlock(pthread_mutex_t *mutex)
{
    if (!schedule_is_on())
        return pthread_mutex_unlock(mutex);
    struct place *place = enter("unlock", mutex, CODE);
    if (!is_own(place) && type_of(mutex) != PTHREAD_MUTEX_TIMED_NP)
        return EPERM;
    if (--place->depth == 0)
        lock_give(place);
    return 0;
}

int interleave_spin_lock(pthread_spinlock_t *lock);
int interleave_spin_lock(pthread_spinlock_t *lock)
{
    if (!schedule_is_on())
        return pthread_spin_lock(lock);
    lock_wait(enter("lock", lock, CODE));
    return 0;
}

int interleave_spin_trylock(pthread_spinlock_t *lock);
int interleave_spin_trylock(pthread_spinlock_t *lock)
{
    if (!schedule_is_on())
        return pthread_spin_trylock(lock);
    return lock_try(enter("trylock", lock, CODE)) ? 0 : EBUSY;
}

int interleave_spin_unlock(pthread_spinlock_t *lock);
int interleave_spin_unlock(pthread_spinlock_t *lock)
{
    if (!schedule_is_on())
        return pthread_spin_unlock(lock);
    lock_give(enter("unlock", lock, CODE));
    return 0;
}

/* ---- conditions ---- */

static int condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, bool is_timed,
                          uintptr_t code)
{
    struct place *place = enter("wait", condition, code), *lock = place_of(mutex);
    lock_give(lock);
    bool is_woken = schedule_wait(WAIT_CONDITION, place, is_timed);
    lock_wait(lock);
    return is_woken ? 0 : ETIMEDOUT;
}

int interleave_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex);
int interleave_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex)
{
    return schedule_is_on() ? condition_wait(condition, mutex, false, CODE)
                            : pthread_cond_wait(condition, mutex);
}

int interleave_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                              const struct timespec *until);
int interleave_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                              const struct timespec *until)
{
    return schedule_is_on() ? condition_wait(condition, mutex, true, CODE)
                            : pthread_cond_timedwait(condition, mutex, until);
}

int interleave_cond_signal(pthread_cond_t *condition);
int interleave_cond_signal(pthread_cond_t *condition)
{
    if (!schedule_is_on())
        return pthread_cond_signal(condition);
    (void)schedule_wake(WAIT_CONDITION, enter("signal", condition, CODE), 1);
    return 0;
}

int interleave_cond_broadcast(pthread_cond_t *condition);
int interleave_cond_broadcast(pthread_cond_t *condition)
{
    if (!schedule_is_on())
        return pthread_cond_broadcast(condition);
    (void)schedule_wake(WAIT_CONDITION, enter("broadcast", condition, CODE), THREADS_MAX);
    return 0;
}

/* ---- once ---- */

enum { ONCE_RUNS = 1, ONCE_DONE = UINT8_MAX };

int interleave_once(pthread_once_t *once, void (*function)(void));
int interleave_once(pthread_once_t *once, void (*function)(void))
{
    if (!schedule_is_on())
        return pthread_once(once, function);
    struct place *place = enter("once", once, CODE);
    while (place->owner == ONCE_RUNS)
        (void)schedule_wait(WAIT_ONCE, place, false);
    if (place->owner != ONCE_DONE) {
        place->owner = ONCE_RUNS;
        function();
        order_before_write(place, memory_order_release, false);
        place->owner = ONCE_DONE;
        (void)schedule_wake(WAIT_ONCE, place, THREADS_MAX);
    }
    order_after_read(place, memory_order_acquire);
    return 0;
}

/* ---- time, and the system itself ---- */

int interleave_yield(void);
int interleave_yield(void)
{
    if (!schedule_is_on())
        return sched_yield();
    schedule_yield("yield", CODE);
    return 0;
}

int interleave_nanosleep(const struct timespec *time, struct timespec *rest);
int interleave_nanosleep(const struct timespec *time, struct timespec *rest)
{
    if (!schedule_is_on())
        return nanosleep(time, rest);
    schedule_yield("sleep", CODE);
    return 0;
}

int interleave_usleep(useconds_t time);
int interleave_usleep(useconds_t time)
{
    if (!schedule_is_on())
        return usleep(time);
    schedule_yield("sleep", CODE);
    return 0;
}

static long futex_wait(uint32_t *word, uint32_t value, bool is_timed, uintptr_t code)
{
    struct place *place = place_of(word);
    schedule_point("futex wait", place, true, code);
    if (*word != value) {
        errno = EAGAIN;
        return -1;
    }
    if (schedule_wait(WAIT_FUTEX, place, is_timed))
        return 0;
    errno = ETIMEDOUT;
    return -1;
}

long interleave_syscall(long number, ...);
long interleave_syscall(long number, ...)
{
    long values[6];
    va_list arguments;
    va_start(arguments, number);
    for (int i = 0; i < 6; i++)
        values[i] = va_arg(arguments, long);
    va_end(arguments);
    int operation = (int)values[1] & FUTEX_CMD_MASK;
    if (number == SYS_futex && schedule_is_on()) {
        if (operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET)
            return futex_wait((uint32_t *)values[0], (uint32_t)values[2], values[3] != 0, CODE);
        if (operation == FUTEX_WAKE || operation == FUTEX_WAKE_BITSET)
            return schedule_wake(WAIT_FUTEX, enter("futex wake", (void *)values[0], CODE),
                                 (unsigned)values[2]);
    }
    return syscall(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}
