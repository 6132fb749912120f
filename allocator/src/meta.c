/* SPDX-License-Identifier: MIT */
/*
 * Descriptors are carved from chunks one after the other; chunks grow from 16 KiB to 1 MiB as the
 * heap does, and only touched pages cost.
 *
 * A chunk begins with its own header. The rest of a chunk that is too small for a request is
 * wasted: at most one object of 8 KiB per chunk.
 */
#include "meta.h"

#include <errno.h>
#include <string.h>

enum { CHUNK_MIN = 16 * 1024, CHUNK_MAX = 1024 * 1024, CHUNK_HEADER = 64 };

struct meta_chunk {
    struct meta_chunk *next;
    size_t length;
    char *used_end;      /* all behind it is zero; in the newest chunk `next` may be higher */
    char *carved_end;    /* of the objects; set when the next chunk is started */
    size_t spare_length; /* bytes of its spare objects; only in meta_release */
    bool is_guarded;     /* from pages_map_guarded, and not adopted */
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

/* Before another chunk becomes the newest, or a look at all of them. */
static void settle_newest(struct meta *meta)
{
    struct meta_chunk *chunk = meta->chunks;
    if (chunk == NULL)
        return;
    chunk->carved_end = meta->next;
    if (chunk->used_end < meta->next)
        chunk->used_end = meta->next;
}

static int chunk_release(struct meta *meta, struct meta_chunk *chunk, size_t dirty)
{
    return chunk->is_guarded
               ? pages_release_guarded(meta->pages, (char *)chunk, chunk->length, dirty)
               : pages_release(meta->pages, (char *)chunk, chunk->length, dirty);
}

/* An injected refusal comes once, so each chunk is tried twice; after that its memory is leaked. */
void meta_destroy(struct meta *meta, bool clear)
{
    settle_newest(meta);
    while (meta->chunks != NULL) {
        struct meta_chunk *chunk = meta->chunks, kept = *chunk;
        meta->chunks = chunk->next;
        if (clear) {
            memset(chunk, 0, (size_t)(kept.used_end - (char *)chunk));
            pages_abandon(meta->pages, (char *)chunk, kept.length, 0);
        } else if (chunk_release(meta, chunk, 0) != 0) {
            (void)chunk_release(meta, chunk, 0);
        }
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

static void chunk_start(struct meta *meta, char *start, size_t length, char *used_end,
                        bool is_guarded)
{
    ASSERT(is_page_run(start, length) && used_end >= start && used_end <= start + length);
    settle_newest(meta);
    struct meta_chunk *chunk = (struct meta_chunk *)start;
    *chunk = (struct meta_chunk){
        .next = meta->chunks, .length = length, .used_end = used_end, .is_guarded = is_guarded};
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
    if (pages_map_guarded(meta->pages, length, &start) != 0) {
        length = minimum;
        if (pages_map_guarded(meta->pages, length, &start) != 0) {
            meta->missing = needed;
            return ENOMEM;
        }
    }
    chunk_start(meta, start, length, start, true);
    return 0;
}

COLD int meta_retry(struct meta *meta)
{
    return meta->missing == 0 ? 0 : chunk_add(meta, meta->missing);
}

size_t meta_missing_pages(const struct meta *meta)
{
    ASSERT(meta->missing != 0);
    return chunk_minimum(meta->missing) >> PAGE_SHIFT;
}

COLD void meta_adopt(struct meta *meta, char *start, size_t length)
{
    chunk_start(meta, start, length, start + length, false);
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

/* ---- giving back ---- */

static struct meta_chunk *chunk_of(const struct meta *meta, const void *object)
{
    struct meta_chunk *chunk = meta->chunks;
    while (chunk != NULL && (uintptr_t)object - (uintptr_t)chunk >= chunk->length)
        chunk = chunk->next;
    return chunk;
}

bool meta_owns(const struct meta *meta, const void *object, size_t size)
{
    const struct meta_chunk *chunk = chunk_of(meta, object);
    uintptr_t offset = (uintptr_t)object - (uintptr_t)chunk;
    return chunk != NULL && offset >= CHUNK_HEADER && chunk->length - offset >= size &&
           offset % ((size_t)1 << META_SHIFT_MIN) == 0;
}

static bool is_idle(const struct meta_chunk *chunk)
{
    return chunk->spare_length == (size_t)(chunk->carved_end - (char *)chunk) - CHUNK_HEADER;
}

static void count_spare(struct meta *meta)
{
    for (struct meta_chunk *chunk = meta->chunks; chunk != NULL; chunk = chunk->next)
        chunk->spare_length = 0;
    for (unsigned class = 0; class < META_CLASSES; class ++)
        for (struct meta_object *object = meta->spare[class]; object != NULL; object = object->next)
            chunk_of(meta, object)->spare_length += (size_t)1 << (class + META_SHIFT_MIN);
}

static void forget_spare_of_idle(struct meta *meta)
{
    for (unsigned class = 0; class < META_CLASSES; class ++)
        for (struct meta_object **link = &meta->spare[class]; *link != NULL;) {
            if (is_idle(chunk_of(meta, *link)))
                *link = (*link)->next;
            else
                link = &(*link)->next;
        }
}

/* A chunk that the source will not take stays, with nothing carved from it: the next release offers
 * it again, and if it is the newest it is carved anew. */
COLD size_t meta_release(struct meta *meta)
{
    size_t released = 0;
    settle_newest(meta);
    count_spare(meta);
    forget_spare_of_idle(meta);
    if (meta->chunks != NULL && is_idle(meta->chunks))
        meta->next = meta->end = NULL;
    for (struct meta_chunk **link = &meta->chunks; *link != NULL;) {
        struct meta_chunk *chunk = *link, *next = chunk->next;
        size_t length = chunk->length;
        bool was_idle = is_idle(chunk);
        if (!was_idle || chunk_release(meta, chunk, length) != 0) {
            if (was_idle)
                chunk->carved_end = (char *)chunk + CHUNK_HEADER;
            link = &chunk->next;
            continue;
        }
        *link = next;
        meta->length -= length;
        released += length;
    }
    struct meta_chunk *newest = meta->chunks;
    if (newest != NULL && meta->next == NULL) {
        bool is_unused = newest->carved_end == (char *)newest + CHUNK_HEADER;
        meta->next = newest->carved_end;
        meta->end = is_unused ? (char *)newest + newest->length : newest->carved_end;
    }
    return released;
}
