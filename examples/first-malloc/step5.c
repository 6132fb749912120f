/* SPDX-License-Identifier: MIT */
/*
 * Step 5: blocks know the neighbour before them, so that free joins both sides at once; FIT chooses
 * among the free ones; large blocks are mappings of their own; realloc shrinks or grows in place
 * where it can, and moves only where it must; a pointer that is no block is an error.
 *
 *     | header | payload | header | payload | … | last |
 *       ↑ before ─────────┘  next: by the size              size of `last` is 0
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { UNIT = 16, REGION_BYTES = 1 << 20, MMAP_THRESHOLD = 128 << 10 };
enum { FIRST_FIT, BEST_FIT, WORST_FIT };
#ifndef FIT
#define FIT BEST_FIT
#endif
enum { FREE = 0x46524545, USED = 0x55534544, MAPPED = 0x4d415050 };

struct header {
    size_t size;           /* of the payload, a multiple of UNIT; 0: behind the last block */
    struct header *before; /* the neighbour in memory; NULL: the first block */
    _Alignas(UNIT) uintptr_t self; /* its own address and what it is: see mark */
};
_Static_assert(sizeof(struct header) % UNIT == 0, "what follows a header is aligned");

struct region {
    struct region *next;
    size_t bytes;
};
_Static_assert(sizeof(struct region) % UNIT == 0, "what follows is aligned");

static struct region *regions;

static void mark(struct header *at, uintptr_t state)
{
    at->self = (uintptr_t)at ^ state;
}

static int is(const struct header *at, uintptr_t state)
{
    return at->self == ((uintptr_t)at ^ state);
}

static struct header *next_of(struct header *at)
{
    return (struct header *)((char *)(at + 1) + at->size);
}

static struct header *first_of(struct region *region)
{
    return (struct header *)(region + 1);
}

/* ---- memory of the system ---- */

static void *map(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* 0 if the system took it back; errno is left alone. */
static int unmap(void *memory, size_t bytes)
{
    int error = errno, result = munmap(memory, bytes);
    errno = error;
    return result;
}

static struct header *make_region(void)
{
    struct region *region = map(REGION_BYTES);
    if (region == NULL)
        return NULL;
    *region = (struct region){regions, REGION_BYTES};
    regions = region;
    struct header *at = first_of(region);
    at->size = REGION_BYTES - sizeof *region - 2 * sizeof *at;
    mark(at, FREE);
    next_of(at)->before = at;
    mark(next_of(at), USED);
    return at;
}

static void unmap_region(struct region *region)
{
    struct region **link = &regions;
    while (*link != region)
        link = &(*link)->next;
    struct region *next = region->next;
    if (unmap(region, REGION_BYTES) == 0)
        *link = next;
}

/* ---- blocks of a region ---- */

static int is_better(size_t size, size_t than)
{
    return FIT == BEST_FIT ? size < than : FIT == WORST_FIT ? size > than : 0;
}

static struct header *find(size_t size)
{
    struct header *found = NULL;
    for (struct region *region = regions; region != NULL; region = region->next)
        for (struct header *at = first_of(region); at->size > 0; at = next_of(at))
            if (is(at, FREE) && at->size >= size &&
                (found == NULL || is_better(at->size, found->size)))
                found = at;
    return found;
}

/* The rest behind `size` becomes a free block, if it is large enough to be one. */
static void split(struct header *at, size_t size)
{
    if (at->size < size + sizeof *at + UNIT)
        return;
    size_t rest = at->size - size - sizeof *at;
    at->size = size;
    next_of(at)->size = rest;
    next_of(at)->before = at;
    mark(next_of(at), FREE);
    next_of(next_of(at))->before = next_of(at);
}

/* Takes in the free neighbour behind. */
static void join(struct header *at)
{
    if (next_of(at)->size == 0 || !is(next_of(at), FREE))
        return;
    at->size += sizeof *at + next_of(at)->size;
    next_of(at)->before = at;
}

static void release(struct header *at)
{
    mark(at, FREE);
    join(at);
    if (at->before != NULL && is(at->before, FREE)) {
        at = at->before;
        join(at);
    }
    struct region *region = (struct region *)at - 1;
    if (at->before == NULL && next_of(at)->size == 0)
        unmap_region(region);
}

/* ---- large blocks: | header | payload | in a mapping of their own ---- */

static void *map_large(size_t size)
{
    struct header *at = map(sizeof *at + size);
    if (at == NULL)
        return NULL;
    at->size = size;
    mark(at, MAPPED);
    return at + 1;
}

/* ---- the functions ---- */

static size_t round_up(size_t size)
{
    return size == 0 ? UNIT : (size + UNIT - 1) / UNIT * UNIT;
}

void *my_malloc(size_t size)
{
    if (size > PTRDIFF_MAX - REGION_BYTES)
        return NULL;
    size = round_up(size);
    if (size >= MMAP_THRESHOLD)
        return map_large(size);
    struct header *at = find(size);
    if (at == NULL)
        at = make_region();
    if (at == NULL)
        return NULL;
    split(at, size);
    mark(at, USED);
    return at + 1;
}

static struct header *header_of(void *block, const char *function)
{
    struct header *at = (struct header *)block - 1;
    if ((uintptr_t)block % UNIT == 0 && (is(at, USED) || is(at, MAPPED)))
        return at;
    fprintf(stderr, "%s: %p is no block of this heap, or free already\n", function, block);
    abort();
}

void my_free(void *block)
{
    if (block == NULL)
        return;
    struct header *at = header_of(block, "free");
    if (is(at, MAPPED))
        (void)unmap(at, sizeof *at + at->size);
    else
        release(at);
}

/* Whether the block could be made `size` bytes large where it is. */
static int resize(struct header *at, size_t size)
{
    if (is(at, MAPPED))
        return size <= at->size && size >= at->size / 2;
    if (at->size < size)
        join(at);
    split(at, size);
    if (at->size >= size && next_of(at)->size > 0 && is(next_of(at), FREE))
        join(next_of(at));
    return at->size >= size;
}

void *my_realloc(void *block, size_t size)
{
    if (block == NULL)
        return my_malloc(size);
    struct header *at = header_of(block, "realloc");
    size_t old = at->size;
    if (size > PTRDIFF_MAX - REGION_BYTES)
        return NULL;
    if (resize(at, round_up(size)))
        return block;
    void *moved = my_malloc(size);
    if (moved == NULL)
        return NULL;
    memcpy(moved, block, old < size ? old : size);
    my_free(block);
    return moved;
}
