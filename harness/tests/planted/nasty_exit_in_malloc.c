/* SPDX-License-Identifier: MIT */
/* Ends the process in the middle of a call. */
#include "nasty.h"

void *malloc(size_t size)
{
    if (size == NASTY_SIZE)
        exit(3);
    return nasty_take(size);
}
