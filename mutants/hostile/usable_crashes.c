/* SPDX-License-Identifier: MIT */
/* Its malloc_usable_size reads an address that is not mapped. */
#include "hostile.h"

#include <malloc.h>

void *malloc(size_t size)
{
    return hostile_take(size);
}

size_t malloc_usable_size(void *block)
{
    size_t size = block == NULL ? 0 : *((size_t *)block - HOSTILE_HEADER / sizeof(size_t));
    volatile const size_t *nowhere = (size_t *)(uintptr_t)HOSTILE_HEADER;
    return size == HOSTILE_SIZE ? *nowhere : size;
}
