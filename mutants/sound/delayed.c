/* SPDX-License-Identifier: MIT */
/*
 * Slabs whose blocks are not reused at once. A freed block waits in a ring, first in, first out:
 *
 *   WAIT_FREES    until so many more were freed, as in a quarantine; also bounded by WAIT_BYTES
 *   WAIT_CALLS    until the next call whose number is a multiple of it
 *   WAIT_EACH     with WAIT_FREES: each size of slots has a ring of its own
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

#ifdef WAIT_EACH
enum { RINGS = SLAB_CLASSES + 1 };
#else
enum { RINGS = 1 };
#endif

static struct slabs slabs;
#ifdef WAIT_CALLS
static size_t calls;
#endif
static struct ring {
    void *blocks[RING];
    size_t first, count, bytes;
} rings[RINGS];

static void give_oldest(struct ring *ring)
{
    void *block = ring->blocks[ring->first];
    ring->first = (ring->first + 1) % RING;
    ring->count--;
    ring->bytes -= slabs_capacity(block);
    slabs_give(block);
}

/* False: nothing waits. */
static bool give_any(void)
{
    for (size_t i = 0; i < RINGS; i++)
        if (rings[i].count > 0) {
            give_oldest(&rings[i]);
            return true;
        }
    return false;
}

static void count_call(void)
{
#ifdef WAIT_CALLS
    if (++calls % WAIT_CALLS == 0)
        while (give_any())
            continue;
#endif
}

void *sound_take(size_t size, size_t alignment, uintptr_t *ret_clean_from)
{
    count_call();
    void *block;
    do
        block = slabs_take(&slabs, size, alignment, ret_clean_from);
    while (block == NULL && give_any());
    return block;
}

void sound_give(void *block)
{
    struct ring *ring = &rings[slabs_class(block) % RINGS];
    if (ring->count == RING)
        give_oldest(ring);
    ring->blocks[(ring->first + ring->count++) % RING] = block;
    ring->bytes += slabs_capacity(block);
    while (ring->bytes > WAIT_BYTES)
        give_oldest(ring);
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
