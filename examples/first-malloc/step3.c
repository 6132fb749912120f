/* SPDX-License-Identifier: MIT */
/*
 * Step 3: sizes are multiples of 16 and so are addresses; a free block that is too large is split,
 * and two free blocks that are true neighbours become one. Neighbours in the list need not be
 * neighbours in memory: somebody else may have moved the break in between.
 *
 *     split   | header | free ………………………… |       join   | header | free | header | free |
 *          →  | header | used | header | free |           →  | header | free ……………………… |
 */
#include <stdint.h>
#include <unistd.h>

enum { UNIT = 16 };

struct header {
    size_t size; /* of the payload, a multiple of UNIT */
    struct header *next;
    _Alignas(UNIT) int is_free;
};
_Static_assert(sizeof(struct header) % UNIT == 0, "what follows a header is aligned");

static struct header *first, *last; /* in the order of addresses */

static char *end_of(struct header *at)
{
    return (char *)(at + 1) + at->size;
}

static struct header *make(size_t size)
{
    intptr_t gap = -(intptr_t)sbrk(0) & (UNIT - 1); /* another user of the break may be uneven */
    char *start = sbrk(gap + (intptr_t)(sizeof(struct header) + size));
    if (start == (void *)-1)
        return NULL;
    struct header *made = (struct header *)(start + gap);
    *made = (struct header){.size = size};
    if (last != NULL)
        last->next = made;
    else
        first = made;
    last = made;
    return made;
}

static void split(struct header *at, size_t size)
{
    if (at->size < size + sizeof *at + UNIT)
        return;
    struct header *rest = (struct header *)((char *)(at + 1) + size);
    *rest = (struct header){at->size - size - sizeof *at, at->next, 1};
    if (last == at)
        last = rest;
    at->size = size;
    at->next = rest;
}

/* Joins every free block with the free ones right behind it. */
static void join_all(void)
{
    for (struct header *at = first; at != NULL; at = at->next)
        while (at->is_free && at->next != NULL && at->next->is_free &&
               end_of(at) == (char *)at->next) {
            at->size += sizeof *at + at->next->size;
            if (last == at->next)
                last = at;
            at->next = at->next->next;
        }
}

void *my_malloc(size_t size)
{
    if (size > PTRDIFF_MAX - 2 * sizeof(struct header))
        return NULL;
    size = size == 0 ? UNIT : (size + UNIT - 1) / UNIT * UNIT;
    struct header *at = first;
    while (at != NULL && (!at->is_free || at->size < size))
        at = at->next;
    if (at == NULL)
        at = make(size);
    if (at == NULL)
        return NULL;
    split(at, size);
    at->is_free = 0;
    return at + 1;
}

void my_free(void *block)
{
    if (block == NULL)
        return;
    ((struct header *)block)[-1].is_free = 1;
    join_all();
}
