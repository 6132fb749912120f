/* SPDX-License-Identifier: MIT */
/*
 * A correct solution of the malloc lab: an implicit free list with boundary tags.
 *
 *     | header 4 | payload … | footer 4 |    header = footer = size of the whole | 1 if it is used
 *
 * Blocks are multiples of 8 bytes, and begin 4 bytes before one. A used block of size 8 before the
 * first and a used one of size 0 behind the last spare the ends every test.
 */
#include "mm.h"
#include "memlib.h"

#include <stdint.h>
#include <string.h>

enum { TAG = 4, SMALLEST = 16, GROWTH = 4096, LARGEST = 1 << 30 };

static char *first; /* payload of the first block */

static uint32_t *header(char *block)
{
    return (uint32_t *)(block - TAG);
}
static uint32_t size_of(char *block)
{
    return *header(block) & ~7u;
}
static int is_used(char *block)
{
    return (*header(block) & 1) != 0;
}
static char *next_of(char *block)
{
    return block + size_of(block);
}

static void set(char *block, uint32_t size, uint32_t used)
{
    *header(block) = size | used;
    *(uint32_t *)(block + size - 2 * TAG) = size | used;
}

static char *join(char *block)
{
    uint32_t size = size_of(block), before = *(uint32_t *)(block - 2 * TAG);
    if (!is_used(next_of(block)))
        size += size_of(next_of(block));
    if ((before & 1) == 0) {
        block -= before;
        size += before;
    }
    set(block, size, 0);
    return block;
}

static char *grow(uint32_t size)
{
    char *block = mem_sbrk((int)size);
    if (block == (char *)-1)
        return NULL;
    set(block, size, 0); /* over the old end */
    *header(next_of(block)) = 1;
    return join(block);
}

int mm_init(void)
{
    char *start = mem_sbrk(4 * TAG);
    if (start == (char *)-1)
        return -1;
    first = start + 2 * TAG;
    *(uint32_t *)start = 0;
    set(first, 8, 1);
    *header(next_of(first)) = 1;
    return 0;
}

static char *find(uint32_t size)
{
    for (char *block = first; size_of(block) > 0; block = next_of(block))
        if (!is_used(block) && size_of(block) >= size)
            return block;
    return NULL;
}

void *mm_malloc(size_t wanted)
{
    if (wanted == 0 || wanted > LARGEST)
        return NULL;
    uint32_t size = (uint32_t)(wanted + 2 * TAG + 7) & ~7u;
    size = size < SMALLEST ? SMALLEST : size;
    char *block = find(size);
    if (block == NULL)
        block = grow(size > GROWTH ? size : GROWTH);
    if (block == NULL)
        return NULL;
    uint32_t rest = size_of(block) - size;
    if (rest >= SMALLEST) {
        set(block, size, 1);
        set(next_of(block), rest, 0);
    } else {
        set(block, size + rest, 1);
    }
    return block;
}

void mm_free(void *block)
{
    if (block == NULL)
        return;
    set(block, size_of(block), 0);
    join(block);
}

void *mm_realloc(void *block, size_t wanted)
{
    if (block == NULL)
        return mm_malloc(wanted);
    if (wanted == 0) {
        mm_free(block);
        return NULL;
    }
    void *moved = mm_malloc(wanted);
    if (moved == NULL)
        return NULL;
    size_t kept = size_of(block) - 2 * TAG;
    memcpy(moved, block, kept < wanted ? kept : wanted);
    mm_free(block);
    return moved;
}
