/* SPDX-License-Identifier: MIT */
/* The bins, and the cutting and merging of chunks. */
#include "chunks.h"

#include <sys/mman.h>

enum { BINS = 64, LOOKS = 8 };

static struct {
    struct chunk heads[BINS]; /* of rings */
    bool is_ready;
} bins;

/* ---- bins ---- */

static unsigned bin_of(size_t size)
{
    return HAS(linear_free_list) || HAS(linear_best_fit) ? 0 : 63 - (unsigned)__builtin_clzll(size);
}

static void get_ready(void)
{
    if (bins.is_ready)
        return;
    for (unsigned i = 0; i < BINS; i++)
        bins.heads[i].next = bins.heads[i].previous = &bins.heads[i];
    bins.is_ready = true;
}

static void insert(struct chunk *chunk)
{
    struct chunk *head = &bins.heads[bin_of(size_of(chunk))], *after = head;
    while (HAS(linear_free_list) && after->next != head && after->next < chunk)
        after = after->next;
    chunk->next = after->next;
    chunk->previous = after;
    after->next->previous = chunk;
    after->next = chunk;
}

static void take_out(struct chunk *chunk)
{
    chunk->previous->next = chunk->next;
    chunk->next->previous = chunk->previous;
}

static struct chunk *search(size_t size)
{
    struct chunk *best = NULL;
    for (unsigned i = bin_of(size); i < BINS; i++) {
        unsigned looks = 0;
        for (struct chunk *chunk = bins.heads[i].next; chunk != &bins.heads[i];
             chunk = chunk->next) {
            if (size_of(chunk) >= size && (best == NULL || size_of(chunk) < size_of(best)))
                best = chunk;
            if (!HAS(linear_best_fit) &&
                (best != NULL || (++looks == LOOKS && !HAS(linear_free_list))))
                break;
        }
        if (best != NULL)
            break;
    }
    return best;
}

/* ---- chunks ---- */

static struct chunk *find_before(const struct chunk *chunk)
{
    if (!HAS(free_walks_region))
        return at(chunk, 0 - chunk->before);
    struct chunk *walker = at(chunk->region, sizeof(struct region));
    while (next_of(walker) != chunk)
        walker = next_of(walker);
    return walker;
}

void release_chunk(struct chunk *chunk)
{
    struct chunk *next = next_of(chunk), *before = chunk->before != 0 ? find_before(chunk) : NULL;
    size_t size = size_of(chunk);
    if (!HAS(never_coalesces) && (next->tag & USED) == 0) {
        take_out(next);
        size += size_of(next);
    }
    if (!HAS(never_coalesces) && before != NULL && (before->tag & USED) == 0) {
        take_out(before);
        size += size_of(before);
        chunk = before;
    }
    set_size(chunk, size, 0);
    if (HAS(trim_thrash) && size == chunk->region->size - sizeof(struct region) - HEADER)
        munmap(chunk->region, chunk->region->size);
    else
        insert(chunk);
}

void split(struct chunk *chunk, size_t size)
{
    size_t rest = size_of(chunk) - size;
    if (rest < CHUNK_MIN)
        return;
    struct chunk *free_chunk = at(chunk, size);
    free_chunk->region = chunk->region;
    set_size(free_chunk, rest, USED);
    set_size(chunk, size, USED);
    release_chunk(free_chunk);
}

void *map(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

static struct chunk *add_region(void)
{
    struct region *region = map(REGION);
    if (region == NULL)
        return NULL;
    region->size = REGION;
    struct chunk *chunk = at(region, sizeof *region), *end = at(region, REGION - HEADER);
    chunk->before = 0;
    chunk->region = end->region = region;
    end->tag = USED;
    set_size(chunk, REGION - sizeof *region - HEADER, 0);
    insert(chunk);
    return chunk;
}

struct chunk *take_chunk(size_t size)
{
    get_ready();
    struct chunk *chunk = search(size);
    if (chunk == NULL)
        chunk = add_region();
    if (chunk == NULL)
        return NULL;
    take_out(chunk);
    chunk->tag |= USED;
    split(chunk, size);
    return chunk;
}

bool resize_in_place(struct chunk *chunk, size_t size)
{
    struct chunk *next = next_of(chunk);
    if (size_of(chunk) < size && (next->tag & USED) == 0 &&
        size_of(chunk) + size_of(next) >= size) {
        take_out(next);
        set_size(chunk, size_of(chunk) + size_of(next), USED);
    }
    if (size_of(chunk) < size)
        return false;
    split(chunk, size);
    return true;
}
