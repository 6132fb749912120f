/* SPDX-License-Identifier: MIT */
/* Its calloc is another heap's: that of the process that it is loaded into. */
#include "hostile.h"

void *__libc_calloc(size_t count, size_t size);

void *malloc(size_t size)
{
    return hostile_take(size);
}

void *calloc(size_t count, size_t size)
{
    return __libc_calloc(count, size);
}
