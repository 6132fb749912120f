/* SPDX-License-Identifier: MIT */
/* Never finds what it looks for. */
#include "nasty.h"

void *malloc(size_t size)
{
    static volatile size_t sought;
    while (size == NASTY_SIZE && sought != size)
        ;
    return nasty_take(size);
}
