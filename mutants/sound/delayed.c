/* SPDX-License-Identifier: MIT */
/*
 * Slabs whose blocks are not reused at once. A freed block waits in a ring, first in, first out:
 *
 *   WAIT_FREES    until so many more were freed, as in a quarantine; also bounded by WAIT_BYTES
 *   WAIT_CALLS    until the next call whose number is a multiple of it
 *
 * Where there is no memory left, nothing waits any longer.
 */
#include "sound.h"

#ifdef WAIT_CALLS
enum { RING = WAIT_CALLS };
#else
enum { RING = WAIT_FREES };
#endif
#define WAIT_BYTES ((size_t)32 << 20)

static struct slabs slabs;
static struct {
    void *blocks[RING];
    size_t first, count, bytes, calls;
} waiting;

static void give_oldest(void)
{
    void *block = waiting.blocks[waiting.first];
    waiting.first = (waiting.first + 1) % RING;
    waiting.count--;
    waiting.bytes -= slabs_capacity(block);
    slabs_give(block);
}

static void count_call(void)
{
#ifdef WAIT_CALLS
    if (++waiting.calls % WAIT_CALLS == 0)
        while (waiting.count > 0)
            give_oldest();
#endif
}

void *sound_take(size_t size, size_t alignment, uintptr_t *ret_clean_from)
{
    count_call();
    void *block = slabs_take(&slabs, size, alignment, ret_clean_from);
    while (block == NULL && waiting.count > 0) {
        give_oldest();
        block = slabs_take(&slabs, size, alignment, ret_clean_from);
    }
    return block;
}

void sound_give(void *block)
{
    if (waiting.count == RING)
        give_oldest();
    waiting.blocks[(waiting.first + waiting.count++) % RING] = block;
    waiting.bytes += slabs_capacity(block);
    while (waiting.bytes > WAIT_BYTES)
        give_oldest();
    count_call();
}

bool sound_resize(void *block, size_t size)
{
    return slabs_resize(block, size);
}

size_t sound_capacity(const void *block)
{
    return slabs_capacity(block);
}

const struct sound_rules sound_rules = {.realloc_frees = true};
