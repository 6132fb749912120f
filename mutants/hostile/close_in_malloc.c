/* SPDX-License-Identifier: MIT */
/* Closes every file descriptor in a call. */
#include "hostile.h"

#include <unistd.h>

void *malloc(size_t size)
{
    for (int i = 0; size == HOSTILE_SIZE && i < 1024; i++)
        close(i);
    return hostile_take(size);
}
