/* SPDX-License-Identifier: MIT */
/* Ends the process in the middle of a call. */
#include "hostile.h"

void *malloc(size_t size)
{
    if (size == HOSTILE_SIZE)
        exit(3);
    return hostile_take(size);
}
