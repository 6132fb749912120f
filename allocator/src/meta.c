/* SPDX-License-Identifier: MIT */
/*
 * Descriptors are carved from chunks one after the other; chunks grow from 16 KiB to 256 KiB as the
 * heap does, and only touched pages cost.
 *
 * A chunk begins with its own header. The rest of a chunk that is too small for a request is
 * wasted: at most one object of 8 KiB per chunk.
 */
#include "meta.h"

#include <errno.h>
#include <string.h>

enum { CHUNK_MIN = 16 * 1024, CHUNK_MAX = 256 * 1024, CHUNK_HEADER = 64 };

struct meta_chunk {
    struct meta_chunk *next;
    size_t length;
    char *used_end; /* all behind it is zero; in the newest chunk `next` may be higher */
};
_Static_assert(sizeof(struct meta_chunk) <= CHUNK_HEADER,
               "the header must fit before the first object");

struct meta_object {
    struct meta_object *next;
};
_Static_assert(sizeof(struct meta_object) <= (1u << META_SHIFT_MIN),
               "a spare object must hold its link");

void meta_init(struct meta *meta, struct pages *pages)
{
    *meta = (struct meta){.pages = pages};
}

static void settle_used_end(struct meta *meta)
{
    if (meta->chunks != NULL && meta->chunks->used_end < meta->next)
        meta->chunks->used_end = meta->next;
}

void meta_destroy(struct meta *meta, bool clear)
{
    settle_used_end(meta);
    while (meta->chunks != NULL) {
        struct meta_chunk *chunk = meta->chunks;
        size_t length = chunk->length;
        meta->chunks = chunk->next;
        if (clear)
            memset(chunk, 0, (size_t)(chunk->used_end - (char *)chunk));
        pages_abandon(meta->pages, (char *)chunk, length, 0);
    }
    meta_init(meta, meta->pages);
}

static unsigned class_of_size(size_t size)
{
    ASSERT(size > 0 && size <= (size_t)1 << META_SHIFT_MAX);
    return size <= (size_t)1 << META_SHIFT_MIN
               ? 0
               : 64 - META_SHIFT_MIN - (unsigned)__builtin_clzl(size - 1);
}

static void chunk_start(struct meta *meta, char *start, size_t length, char *used_end)
{
    ASSERT(is_page_run(start, length) && used_end >= start && used_end <= start + length);
    settle_used_end(meta);
    struct meta_chunk *chunk = (struct meta_chunk *)start;
    *chunk = (struct meta_chunk){.next = meta->chunks, .length = length, .used_end = used_end};
    meta->chunks = chunk;
    meta->length += length;
    meta->missing = 0;
    meta->next = start + CHUNK_HEADER;
    meta->end = start + length;
}

static size_t chunk_minimum(size_t needed)
{
    return size_round_up(needed + CHUNK_HEADER, PAGE_BYTES);
}

/* Adds a chunk twice as long as the last, within bounds; if that is refused, one just long
 * enough. */
static int chunk_add(struct meta *meta, size_t needed)
{
    size_t minimum = chunk_minimum(needed);
    size_t length =
        meta->chunks == NULL ? CHUNK_MIN : size_min(meta->chunks->length * 2, CHUNK_MAX);
    char *start;
    length = size_max(length, minimum);
    if (pages_map(meta->pages, length, &start) != 0) {
        length = minimum;
        if (pages_map(meta->pages, length, &start) != 0) {
            meta->missing = needed;
            return ENOMEM;
        }
    }
    chunk_start(meta, start, length, start);
    return 0;
}

int meta_retry(struct meta *meta)
{
    return meta->missing == 0 ? 0 : chunk_add(meta, meta->missing);
}

size_t meta_missing_pages(const struct meta *meta)
{
    ASSERT(meta->missing != 0);
    return chunk_minimum(meta->missing) >> PAGE_SHIFT;
}

void meta_adopt(struct meta *meta, char *start, size_t length)
{
    chunk_start(meta, start, length, start + length);
}

int meta_reserve(struct meta *meta, size_t size, size_t count)
{
    unsigned class = class_of_size(size);
    struct meta_object *spare = meta->spare[class];
    for (; count > 0 && spare != NULL; count--)
        spare = spare->next;
    size_t needed = count << (class + META_SHIFT_MIN);
    if (needed <= (size_t)(meta->end - meta->next))
        return 0;
    return chunk_add(meta, needed);
}

void *meta_alloc(struct meta *meta, size_t size)
{
    unsigned class = class_of_size(size);
    size_t length = (size_t)1 << (class + META_SHIFT_MIN);
    struct meta_object *object = meta->spare[class];
    if (object != NULL) {
        meta->spare[class] = object->next;
        return object;
    }
    if (length > (size_t)(meta->end - meta->next) && chunk_add(meta, length) != 0)
        return NULL;
    object = (struct meta_object *)meta->next;
    meta->next += length;
    ASSERT(meta->next <= meta->end && (uintptr_t)object % ((size_t)1 << META_SHIFT_MIN) == 0);
    return object;
}

void meta_free(struct meta *meta, void *object, size_t size)
{
    unsigned class = class_of_size(size);
    struct meta_object *spare = object;
    ASSERT(object != NULL && object != meta->spare[class]);
    spare->next = meta->spare[class];
    meta->spare[class] = spare;
}
