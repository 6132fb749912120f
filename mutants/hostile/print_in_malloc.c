/* SPDX-License-Identifier: MIT */
/* Prints for ever in a call. */
#include "hostile.h"

#include <string.h>
#include <unistd.h>

void *malloc(size_t size)
{
    static const char line[] = "malloc: still looking\n";
    while (size == HOSTILE_SIZE)
        if (write(STDOUT_FILENO, line, strlen(line)) == 0)
            break;
    return hostile_take(size);
}
