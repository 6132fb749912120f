/* SPDX-License-Identifier: MIT */
/* Ends the process while it is loaded. */
#include "hostile.h"

__attribute__((constructor)) static void leave(void)
{
    exit(4);
}

void *malloc(size_t size)
{
    return hostile_take(size);
}
