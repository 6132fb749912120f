/* SPDX-License-Identifier: MIT */
/* Prints for ever while it is loaded. */
#include "hostile.h"

#include <string.h>
#include <unistd.h>

__attribute__((constructor)) static void print(void)
{
    static const char line[] = "loading: still at it\n";
    for (;;)
        if (write(STDERR_FILENO, line, strlen(line)) == 0)
            break;
}

void *malloc(size_t size)
{
    return hostile_take(size);
}
