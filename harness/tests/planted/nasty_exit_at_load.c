/* SPDX-License-Identifier: MIT */
/* Ends the process while it is loaded. */
#include "nasty.h"

__attribute__((constructor)) static void leave(void)
{
    exit(4);
}

void *malloc(size_t size)
{
    return nasty_take(size);
}
