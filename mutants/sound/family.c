/* SPDX-License-Identifier: MIT */
/*
 * The malloc family over sound_take and its siblings. LACKS_CALLOC, LACKS_REALLOC, LACKS_ALIGNED
 * and LACKS_USABLE leave a part of it out; each call sleeps for CALL_MS, if that is defined. See
 * sound.h.
 *
 * The lock is recursive, since a fork's other handlers may allocate once ours holds it. A fork
 * takes stdio's list of streams first, as glibc's own malloc does: who holds that may allocate.
 */
#include "sound.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static pthread_mutex_t family_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

/* Of glibc; recursive. A fork resets it in the child only if there were several threads. */
void _IO_list_lock(void);
void _IO_list_unlock(void);
void _IO_list_resetlock(void);

static void lock_all(void)
{
    if (sound_rules.lock_all != NULL)
        sound_rules.lock_all();
    else
        pthread_mutex_lock(&family_lock);
}

static void unlock_all(void)
{
    if (sound_rules.lock_all != NULL)
        sound_rules.unlock_all();
    else
        pthread_mutex_unlock(&family_lock);
}

static void before_fork(void)
{
    _IO_list_lock();
    lock_all();
    pages_lock();
}

static void after_fork(void)
{
    pages_unlock();
    unlock_all();
    _IO_list_unlock();
}

/* The owner of the locks is a thread of the parent. */
static void after_fork_in_child(void)
{
    _IO_list_resetlock(); /* the libc does so only where there were several threads */
    pages_reset();
    if (sound_rules.lock_all != NULL)
        sound_rules.reset_all();
    else
        family_lock = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
    _IO_list_resetlock();
}

static __attribute__((constructor)) void family_set_up(void)
{
    pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

/* Begins a call; the result is errno as it was. */
static int enter(void)
{
    int error = errno;
    if (sound_rules.enter != NULL)
        sound_rules.enter();
#ifdef CALL_MS
    nanosleep(&(struct timespec){.tv_nsec = CALL_MS * 1000000L}, NULL);
#endif
    if (sound_rules.lock_all == NULL)
        pthread_mutex_lock(&family_lock);
    return error;
}

static void leave(int error)
{
    if (sound_rules.lock_all == NULL)
        pthread_mutex_unlock(&family_lock);
    errno = error;
}

static void *allocate(size_t size, size_t alignment, uintptr_t *ret_clean_from)
{
    if (size == 0 && sound_rules.zero_is_null)
        return NULL;
    int error = enter();
    *ret_clean_from = CLEAN_NOWHERE;
    void *block =
        size <= PTRDIFF_MAX ? sound_take(size != 0 ? size : 1, alignment, ret_clean_from) : NULL;
    leave(block != NULL ? error : ENOMEM);
    return block;
}

static size_t alignment_of(size_t size)
{
    return size < ALIGNMENT && sound_rules.is_small_aligned ? ALIGNMENT / 2 : ALIGNMENT;
}

__attribute__((visibility("default"))) void *malloc(size_t size)
{
    uintptr_t clean_from;
    return allocate(size, alignment_of(size), &clean_from);
}

__attribute__((visibility("default"))) void free(void *block)
{
    if (block == NULL)
        return;
    int error = enter();
    sound_give(block);
    leave(error);
}

#ifndef LACKS_CALLOC
__attribute__((visibility("default"))) void *calloc(size_t count, size_t size)
{
    size_t total;
    uintptr_t clean_from;
    if (__builtin_mul_overflow(count, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    void *block = allocate(total, alignment_of(total), &clean_from);
    if (block == NULL || clean_from <= (uintptr_t)block)
        return block;
    size_t dirty = clean_from - (uintptr_t)block;
    return memset(block, 0, dirty < total ? dirty : total);
}
#endif

#ifndef LACKS_REALLOC
/* Bytes from which on a block that grows gets a quarter more: a loop that grows it by a page each
 * time does not copy it each time. */
#define GROWS_AHEAD ((size_t)64 << 10)

/* Whether the block could stay where it is. */
static bool resize_in_place(void *block, size_t size, size_t *ret_capacity)
{
    int error = enter();
    *ret_capacity = sound_capacity(block);
    bool stays =
        !sound_rules.realloc_moves && ((sound_rules.realloc_keeps && size <= *ret_capacity) ||
                                       (size <= PTRDIFF_MAX && sound_resize(block, size)));
    leave(error);
    return stays && ((uintptr_t)block & (alignment_of(size) - 1)) == 0;
}

__attribute__((visibility("default"))) void *realloc(void *block, size_t size)
{
    int error = errno;
    size_t capacity;
    if (block == NULL)
        return malloc(size);
    if (size == 0 && sound_rules.realloc_frees) {
        free(block);
        return NULL;
    }
    size += size == 0;
    if (resize_in_place(block, size, &capacity))
        return block;
    void *moved = size > capacity && size >= GROWS_AHEAD ? malloc(size + size / 4) : NULL;
    if (moved == NULL)
        moved = malloc(size);
    bool fits = size <= capacity && ((uintptr_t)block & (alignment_of(size) - 1)) == 0;
    if (moved == NULL && fits) {
        errno = error;
        return block;
    }
    if (moved == NULL)
        return NULL;
    memcpy(moved, block, capacity < size ? capacity : size);
    free(block);
    return moved;
}
#endif

#ifndef LACKS_ALIGNED
static void *allocate_aligned(size_t alignment, size_t size)
{
    uintptr_t clean_from;
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
        errno = EINVAL;
        return NULL;
    }
    if (alignment > PTRDIFF_MAX / 4 || size > PTRDIFF_MAX / 4) {
        errno = ENOMEM;
        return NULL;
    }
    return allocate(size, alignment > ALIGNMENT ? alignment : ALIGNMENT, &clean_from);
}

__attribute__((visibility("default"))) void *aligned_alloc(size_t alignment, size_t size)
{
    if (sound_rules.alignment_max == 0 || alignment <= sound_rules.alignment_max)
        return allocate_aligned(alignment, size);
    errno = EINVAL;
    return NULL;
}

__attribute__((visibility("default"))) void *memalign(size_t alignment, size_t size)
{
    if (sound_rules.memalign_asserts && (alignment == 0 || (alignment & (alignment - 1)) != 0))
        abort();
    return aligned_alloc(alignment, size);
}

__attribute__((visibility("default"))) int posix_memalign(void **ret_block, size_t alignment,
                                                          size_t size)
{
    int error = errno;
    if (alignment % sizeof(void *) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0)
        return EINVAL;
    void *block = allocate_aligned(alignment, size);
    errno = error;
    if (block == NULL && (size != 0 || !sound_rules.zero_is_null))
        return ENOMEM;
    *ret_block = block;
    return 0;
}
#endif

#ifndef LACKS_USABLE
__attribute__((visibility("default"))) size_t malloc_usable_size(void *block)
{
    if (block == NULL)
        return 0;
    int error = enter();
    size_t capacity = sound_capacity(block);
    leave(error);
    return capacity;
}
#endif
