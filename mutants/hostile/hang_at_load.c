/* SPDX-License-Identifier: MIT */
/* Waits for ever while it is loaded. */
#include "hostile.h"

#include <unistd.h>

__attribute__((constructor)) static void wait_for_ever(void)
{
    for (;;)
        pause();
}

void *malloc(size_t size)
{
    return hostile_take(size);
}
