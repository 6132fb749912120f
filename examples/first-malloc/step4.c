/* SPDX-License-Identifier: MIT */
/*
 * Step 4: a heap of its own, mapped by mmap, so that nobody else is in it. It is a chain of
 * regions; a region whose blocks are all free again is unmapped.
 *
 *     regions → | region | header | payload | header | payload | … |   each one a mapping
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

enum { UNIT = 16, REGION_BYTES = 1 << 20 };

struct header {
    size_t size;         /* of the payload, a multiple of UNIT */
    struct header *next; /* in the same region; NULL: the last one */
    _Alignas(UNIT) struct region *region;
    int is_free;
};
struct region {
    struct region *next;
    size_t bytes; /* of the mapping */
};
_Static_assert(sizeof(struct header) % UNIT == 0 && sizeof(struct region) % UNIT == 0, "aligned");

static struct region *regions;

static struct header *first_of(struct region *region)
{
    return (struct header *)(region + 1);
}

static struct header *make_region(size_t size)
{
    size_t whole = sizeof(struct region) + sizeof(struct header) + size;
    size_t bytes = (whole + REGION_BYTES - 1) / REGION_BYTES * REGION_BYTES;
    struct region *region =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED)
        return NULL;
    *region = (struct region){regions, bytes};
    regions = region;
    *first_of(region) = (struct header){
        .size = bytes - sizeof *region - sizeof(struct header), .region = region, .is_free = 1};
    return first_of(region);
}

/* errno is the program's: what munmap says is none of its business. */
static void unmap_region(struct region *region)
{
    struct region **link = &regions;
    int error = errno;
    while (*link != region)
        link = &(*link)->next;
    *link = region->next;
    if (munmap(region, region->bytes) != 0) {
        region->next = regions; /* the system did not take it back: it is used again */
        regions = region;
    }
    errno = error;
}

static struct header *find(size_t size)
{
    for (struct region *region = regions; region != NULL; region = region->next)
        for (struct header *at = first_of(region); at != NULL; at = at->next)
            if (at->is_free && at->size >= size)
                return at;
    return NULL;
}

static void split(struct header *at, size_t size)
{
    if (at->size < size + sizeof *at + UNIT)
        return;
    struct header *rest = (struct header *)((char *)(at + 1) + size);
    *rest = (struct header){at->size - size - sizeof *at, at->next, at->region, 1};
    at->size = size;
    at->next = rest;
}

static void join_all(struct region *region)
{
    for (struct header *at = first_of(region); at != NULL; at = at->next)
        while (at->is_free && at->next != NULL && at->next->is_free) {
            at->size += sizeof *at + at->next->size;
            at->next = at->next->next;
        }
}

void *my_malloc(size_t size)
{
    if (size > PTRDIFF_MAX - 2 * REGION_BYTES)
        return NULL;
    size = size == 0 ? UNIT : (size + UNIT - 1) / UNIT * UNIT;
    struct header *at = find(size);
    if (at == NULL)
        at = make_region(size);
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
    struct header *at = (struct header *)block - 1;
    struct region *region = at->region;
    at->is_free = 1;
    join_all(region);
    if (first_of(region)->is_free && first_of(region)->next == NULL)
        unmap_region(region);
}
