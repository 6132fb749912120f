/* SPDX-License-Identifier: MIT */
/*
 * Step 2: a header before each block, and a list of all blocks, so that a freed one can be used
 * again. It is used whole, however little is asked for.
 *
 *     first → | size, is_free, next | payload … | → | size, is_free, next | payload … | → NULL
 */
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

struct header {
    size_t size; /* of the payload */
    int is_free;
    struct header *next; /* the one made after it */
};

static struct header *first, *last;

/* The list, a block a line. */
void my_print(void)
{
    for (struct header *at = first; at != NULL; at = at->next)
        printf("%p  %8zu bytes  %s\n", (void *)(at + 1), at->size, at->is_free ? "free" : "used");
}

static struct header *make(size_t size)
{
    if (size > PTRDIFF_MAX - sizeof(struct header))
        return NULL;
    struct header *made = sbrk((intptr_t)(sizeof *made + size));
    if (made == (void *)-1)
        return NULL;
    *made = (struct header){.size = size};
    if (last != NULL)
        last->next = made;
    else
        first = made;
    last = made;
    return made;
}

void *my_malloc(size_t size)
{
    for (struct header *at = first; at != NULL; at = at->next)
        if (at->is_free && at->size >= size) {
            at->is_free = 0;
            return at + 1;
        }
    struct header *made = make(size);
    return made != NULL ? made + 1 : NULL;
}

void my_free(void *block)
{
    if (block != NULL)
        ((struct header *)block)[-1].is_free = 1;
}
