/* SPDX-License-Identifier: MIT */
/* Writes through NULL while it is loaded. */
#include "hostile.h"

__attribute__((constructor)) static void crash(void)
{
    static int *volatile nowhere;
    *nowhere = 1;
}

void *malloc(size_t size)
{
    return hostile_take(size);
}
