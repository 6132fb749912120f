/* SPDX-License-Identifier: MIT */
/*
 * Slabs under one lock. RULES, the initialiser of sound_rules, makes one of them unusual, and so do
 *
 *   IS_RANDOM    which free slot of a span a block gets is random
 *   IS_FRUGAL    nothing stays mapped once the last block is freed
 *   LACKS_…      of family.c: what the family has not
 */
#include "sound.h"

#include <sys/random.h>

static struct slabs slabs;
static size_t live;

void *sound_take(size_t size, size_t alignment, uintptr_t *ret_clean_from)
{
#ifdef IS_RANDOM
    while (slabs.random == 0 && getrandom(&slabs.random, sizeof slabs.random, 0) < 0)
        slabs.random = (uintptr_t)&size;
#endif
    void *block = slabs_take(&slabs, size, alignment, ret_clean_from);
    live += block != NULL;
    return block;
}

void sound_give(void *block)
{
    slabs_give(block);
    live--;
#ifdef IS_FRUGAL
    if (live == 0)
        slabs_drain(&slabs);
#endif
}

bool sound_resize(void *block, size_t size)
{
    return slabs_resize(block, size);
}

size_t sound_capacity(const void *block)
{
    return slabs_capacity(block);
}

#ifndef RULES
#define RULES 0
#endif
const struct sound_rules sound_rules = {RULES};
