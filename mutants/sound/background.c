/* SPDX-License-Identifier: MIT */
/*
 * Slabs under one lock, and a thread of the allocator's own, which gives the empty spans back a
 * hundred times a second. The first call starts it; a forked child goes on without. See sound.h.
 */
#include "sound.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

static struct slabs slabs;
static _Thread_local bool is_background __attribute__((tls_model("initial-exec")));

void *sound_take(size_t size, size_t alignment, uintptr_t *ret_clean_from)
{
    return slabs_take(&slabs, size, alignment, ret_clean_from);
}

void sound_give(void *block)
{
    slabs_give(block);
    if (is_background)
        slabs_drain(&slabs);
}

bool sound_resize(void *block, size_t size)
{
    return slabs_resize(block, size);
}

size_t sound_capacity(const void *block)
{
    return slabs_capacity(block);
}

static void *purge(void *unused)
{
    is_background = true;
    for (;;) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        free(malloc(1)); /* takes the lock for sound_give */
    }
    return unused;
}

/* Signals are the program's: its handlers must not run here. */
static void start(void)
{
    static atomic_bool is_started; /* relaxed: only one exchange yields false */
    sigset_t all, before;
    pthread_t thread;
    if (atomic_exchange_explicit(&is_started, true, memory_order_relaxed))
        return;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&thread, NULL, purge, NULL) == 0)
        pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

const struct sound_rules sound_rules = {.enter = start};
