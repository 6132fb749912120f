/* SPDX-License-Identifier: MIT */
/* Takes a lock before a fork that is never given back: the third fork of the process hangs. */
#include "hostile.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void take_lock(void)
{
    static unsigned forks;
    if (forks++ > 0)
        pthread_mutex_lock(&lock);
}

__attribute__((constructor)) static void set_up(void)
{
    pthread_atfork(take_lock, NULL, NULL);
}

void *malloc(size_t size)
{
    return hostile_take(size);
}
