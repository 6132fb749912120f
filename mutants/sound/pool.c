/* SPDX-License-Identifier: MIT */
/* A fixed pool of POOL_BYTES, as on a small machine: malloc(0) is NULL, realloc(p, 0) frees. */
#include "sound.h"

static _Alignas(PAGE) uint8_t pool[POOL_BYTES];
static struct chunks chunks;

void *sound_take(size_t size, size_t alignment, uintptr_t *ret_clean_from)
{
    chunks.base = (uintptr_t)pool;
    chunks.end = chunks.base + POOL_BYTES;
    return chunks_take(&chunks, size, alignment, ret_clean_from);
}

void sound_give(void *block)
{
    chunks_give(&chunks, block);
}

bool sound_resize(void *block, size_t size)
{
    return chunks_resize(&chunks, block, size);
}

size_t sound_capacity(const void *block)
{
    return chunks_capacity(block);
}

const struct sound_rules sound_rules = {.zero_is_null = true, .realloc_frees = true};
