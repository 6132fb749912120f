/* SPDX-License-Identifier: MIT */
/* Closes every file descriptor in a call. */
#include "nasty.h"

#include <unistd.h>

void *malloc(size_t size)
{
    for (int i = 0; size == NASTY_SIZE && i < 1024; i++)
        close(i);
    return nasty_take(size);
}
