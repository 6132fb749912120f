/* SPDX-License-Identifier: MIT */
/* Takes its own lock twice: waits for ever, without using the processor. */
#include "hostile.h"

#include <pthread.h>

void *malloc(size_t size)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    if (size == HOSTILE_SIZE)
        pthread_mutex_lock(&lock);
    void *block = hostile_take(size);
    pthread_mutex_unlock(&lock);
    return block;
}
