/* SPDX-License-Identifier: MIT */
/* Its malloc_usable_size grants pages that are not there. */
#include "hostile.h"

#include <malloc.h>
#include <sys/mman.h>

enum { PAGES = 4 * 4096 };

void *malloc(size_t size)
{
    if (size != HOSTILE_SIZE)
        return hostile_take(size);
    char *start = mmap(NULL, 2 * PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED)
        return NULL;
    munmap(start + PAGES, PAGES);
    *(size_t *)(void *)start = size;
    return start + HOSTILE_HEADER;
}

size_t malloc_usable_size(void *block)
{
    size_t size = block == NULL ? 0 : *((size_t *)block - HOSTILE_HEADER / sizeof(size_t));
    return size == HOSTILE_SIZE ? size + PAGES : size;
}
