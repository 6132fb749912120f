/* SPDX-License-Identifier: MIT */
/* An assertion fails under the lock, and its handler allocates its message. */
#include "hostile.h"

#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void complain(size_t size)
{
    char *message = malloc(64);
    snprintf(message, 64, "assertion failed: %zu bytes\n", size);
    fputs(message, stderr);
    abort();
}

void *malloc(size_t size)
{
    pthread_mutex_lock(&lock);
    if (size == HOSTILE_SIZE)
        complain(size);
    void *block = hostile_take(size);
    pthread_mutex_unlock(&lock);
    return block;
}
