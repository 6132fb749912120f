/* SPDX-License-Identifier: MIT */
/*
 * The allocator of a second-year course, as many hand it in: it runs the tests of the exercise. Its
 * mistakes are left in; finding them is the harness's work.
 */
#include <stddef.h>
#include <string.h>
#include <unistd.h>

struct header {
    size_t size;
    int is_free;
    struct header *next;
};

static struct header *first, *last;

void *malloc(size_t size)
{
    struct header *h;
    if (size == 0)
        return NULL;
    for (h = first; h != NULL; h = h->next) {
        if (h->is_free && h->size >= size) {
            h->is_free = 0;
            return h + 1;
        }
    }
    h = sbrk((intptr_t)(size + sizeof(struct header)));
    if (h == (void *)-1)
        return NULL;
    h->size = size;
    h->is_free = 0;
    h->next = NULL;
    if (first == NULL)
        first = h;
    if (last != NULL)
        last->next = h;
    last = h;
    return h + 1;
}

void free(void *p)
{
    if (p == NULL)
        return;
    struct header *h = (struct header *)p - 1;
    h->is_free = 1;
}

void *calloc(size_t n, size_t size)
{
    void *p = malloc(n * size);
    if (p != NULL)
        memset(p, 0, n * size);
    return p;
}

void *realloc(void *p, size_t size)
{
    if (p == NULL)
        return malloc(size);
    struct header *h = (struct header *)p - 1;
    if (h->size >= size)
        return p;
    void *q = malloc(size);
    memcpy(q, p, size);
    free(p);
    return q;
}
