/* SPDX-License-Identifier: MIT */
/* The plain functions: the same as those of malloc.c, on the default heap. */
#include "heap.h"

void *anvil_malloc(size_t size)
{
    return anvil_heap_malloc(NULL, size);
}

void *anvil_calloc(size_t count, size_t size)
{
    return anvil_heap_calloc(NULL, count, size);
}

void *anvil_realloc(void *block, size_t size)
{
    return anvil_heap_realloc(NULL, block, size);
}

void *anvil_reallocarray(void *block, size_t count, size_t size)
{
    return anvil_heap_reallocarray(NULL, block, count, size);
}

void anvil_free(void *block)
{
    anvil_heap_free(NULL, block);
}

void anvil_free_sized(void *block, size_t size)
{
    anvil_heap_free_sized(NULL, block, size);
}

void anvil_free_aligned_sized(void *block, size_t alignment, size_t size)
{
    anvil_heap_free_aligned_sized(NULL, block, alignment, size);
}

void *anvil_aligned_alloc(size_t alignment, size_t size)
{
    return anvil_heap_aligned_alloc(NULL, alignment, size);
}

void *anvil_memalign(size_t alignment, size_t size)
{
    return anvil_heap_memalign(NULL, alignment, size);
}

int anvil_posix_memalign(void **ret_block, size_t alignment, size_t size)
{
    return anvil_heap_posix_memalign(NULL, ret_block, alignment, size);
}

void *anvil_valloc(size_t size)
{
    return anvil_heap_valloc(NULL, size);
}

void *anvil_pvalloc(size_t size)
{
    return anvil_heap_pvalloc(NULL, size);
}

size_t anvil_malloc_usable_size(void *block)
{
    return anvil_heap_malloc_usable_size(NULL, block);
}

int anvil_malloc_trim(size_t keep)
{
    return anvil_heap_malloc_trim(NULL, keep);
}
