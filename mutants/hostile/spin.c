/* SPDX-License-Identifier: MIT */
/* Never finds what it looks for. */
#include "hostile.h"

void *malloc(size_t size)
{
    static volatile size_t sought;
    while (size == HOSTILE_SIZE && sought != size)
        ;
    return hostile_take(size);
}
