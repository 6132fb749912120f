/* SPDX-License-Identifier: MIT */
/* Prints for ever in a call. */
#include "nasty.h"

#include <string.h>
#include <unistd.h>

void *malloc(size_t size)
{
    static const char line[] = "malloc: still looking\n";
    while (size == NASTY_SIZE)
        if (write(STDOUT_FILENO, line, strlen(line)) == 0)
            break;
    return nasty_take(size);
}
