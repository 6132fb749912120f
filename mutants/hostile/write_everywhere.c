/* SPDX-License-Identifier: MIT */
/* Writes to every descriptor that it was born with, for ever. */
#include "hostile.h"

#include <unistd.h>

void *malloc(size_t size)
{
    static const char noise[] = "noise\n";
    for (int file = 1; size == HOSTILE_SIZE; file = file % 8 + 1)
        if (write(file, noise, sizeof noise) < 0)
            continue;
    return hostile_take(size);
}
