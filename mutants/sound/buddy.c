/* SPDX-License-Identifier: MIT */
/*
 * A binary buddy over 1 GiB. A chunk of 2^n bytes lies at a multiple of 2^n, with a header of 16
 * bytes: a block of a power of two takes twice its size. The memory of a large chunk goes back to
 * the system when it is freed.
 *
 *   │ header │ … │ offset │ block │ … │        the offset is part of the header where they meet
 */
#include "sound.h"

#include <sys/mman.h>

enum { ORDER_MIN = 5, ORDER_MAX = 30, ORDER_DROPPED = 17, HEADER = 16 };

struct chunk {
    uint32_t order;
    uint32_t is_free;
    uint64_t offset; /* from the chunk to its block */
    struct chunk *next, *previous;
};

static uintptr_t base;
static struct chunk *lists[ORDER_MAX + 1];

static void link_free(struct chunk *chunk, uint32_t order)
{
    *chunk = (struct chunk){.order = order, .is_free = 1, .next = lists[order]};
    if (chunk->next != NULL)
        chunk->next->previous = chunk;
    lists[order] = chunk;
}

static void unlink_free(struct chunk *chunk)
{
    if (chunk->next != NULL)
        chunk->next->previous = chunk->previous;
    if (chunk->previous != NULL)
        chunk->previous->next = chunk->next;
    else
        lists[chunk->order] = chunk->next;
    chunk->is_free = 0;
}

static struct chunk *buddy_of(const struct chunk *chunk, uint32_t order)
{
    return (struct chunk *)(base + (((uintptr_t)chunk - base) ^ (uintptr_t)1 << order));
}

static bool set_up(void)
{
    if (base == 0) {
        base = (uintptr_t)pages_map((size_t)1 << ORDER_MAX, (size_t)1 << ORDER_MAX);
        if (base != 0)
            link_free((struct chunk *)base, ORDER_MAX);
    }
    return base != 0;
}

/* The smallest free chunk that is large enough, its upper half given back until it fits. */
static struct chunk *chunk_take(uint32_t order)
{
    uint32_t from = order;
    while (from <= ORDER_MAX && lists[from] == NULL)
        from++;
    if (from > ORDER_MAX)
        return NULL;
    struct chunk *chunk = lists[from];
    unlink_free(chunk);
    for (; from > order; from--)
        link_free(buddy_of(chunk, from - 1), from - 1);
    chunk->order = order;
    return chunk;
}

static struct chunk *chunk_of(const void *block)
{
    const struct chunk *near = (const struct chunk *)((uintptr_t)block - HEADER);
    return (struct chunk *)((uintptr_t)block - near->offset);
}

void *sound_take(size_t size, size_t alignment, uintptr_t *ret_clean_from)
{
    (void)ret_clean_from;
    size_t offset = alignment > HEADER ? alignment : HEADER;
    if (size > (size_t)1 << ORDER_MAX || offset > (size_t)1 << ORDER_MAX || !set_up())
        return NULL;
    uint32_t order = 64u - (uint32_t)__builtin_clzl(size + offset - 1);
    struct chunk *chunk = chunk_take(order > ORDER_MIN ? order : ORDER_MIN);
    if (chunk == NULL)
        return NULL;
    void *block = (void *)((uintptr_t)chunk + offset);
    ((struct chunk *)((uintptr_t)block - HEADER))->offset = offset;
    return block;
}

void sound_give(void *block)
{
    struct chunk *chunk = chunk_of(block);
    uint32_t order = chunk->order;
    if (order >= ORDER_DROPPED)
        madvise((void *)((uintptr_t)chunk + PAGE), ((size_t)1 << order) - PAGE, MADV_DONTNEED);
    for (; order < ORDER_MAX; order++) {
        struct chunk *buddy = buddy_of(chunk, order);
        if (!buddy->is_free || buddy->order != order)
            break;
        unlink_free(buddy);
        chunk = buddy < chunk ? buddy : chunk;
    }
    link_free(chunk, order);
}

size_t sound_capacity(const void *block)
{
    const struct chunk *chunk = chunk_of(block);
    return ((size_t)1 << chunk->order) - ((uintptr_t)block - (uintptr_t)chunk);
}

bool sound_resize(void *block, size_t size)
{
    size_t capacity = sound_capacity(block);
    return size <= capacity && size >= capacity / 2;
}

const struct sound_rules sound_rules = {.realloc_frees = true};
