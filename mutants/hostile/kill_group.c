/* SPDX-License-Identifier: MIT */
/* Ends its whole process group, as some allocators do on an invalid free. */
#include "hostile.h"

#include <signal.h>

void *malloc(size_t size)
{
    if (size == HOSTILE_SIZE)
        kill(0, SIGABRT);
    return hostile_take(size);
}
