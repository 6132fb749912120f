/* SPDX-License-Identifier: MIT */
/*
 * Grows the program break, which others may move between two calls: then it begins another segment
 * above theirs. It gives back only what is still the last before the break.
 *
 *   │ segment: header │ chunks … │ another's │ segment: header │ chunks … → break
 */
#include "sound.h"

#include <unistd.h>

struct segment {
    struct chunks chunks;
    struct segment *older;
};
#define SEGMENT_MAX ((size_t)64 << 30) /* bytes of addresses */
#define HEADER      round_up(sizeof(struct segment), PAGE)

static struct segment *newest;

static bool commit(uintptr_t from, uintptr_t to)
{
    return (uintptr_t)sbrk(0) == from && (uintptr_t)sbrk((intptr_t)(to - from)) == from;
}

static bool decommit(uintptr_t from, uintptr_t to)
{
    return (uintptr_t)sbrk(0) == to && sbrk(-(intptr_t)(to - from)) != (void *)-1;
}

/* False if the newest one could grow, but for want of memory, or if there is none for another. */
static bool begin_segment(void)
{
    uintptr_t at = (uintptr_t)sbrk(0), start = round_up(at, PAGE);
    if (newest != NULL && newest->chunks.committed == at)
        return false;
    if ((uintptr_t)sbrk((intptr_t)(start - at + HEADER)) != at)
        return false;
    struct segment *segment = (struct segment *)start;
    uintptr_t base = start + HEADER;
    *segment = (struct segment){.chunks = {.base = base,
                                           .end = base + SEGMENT_MAX,
                                           .committed = base,
                                           .commit = commit,
                                           .decommit = decommit,
                                           .looks = 16},
                                .older = newest};
    newest = segment;
    return true;
}

void *sound_take(size_t size, size_t alignment, uintptr_t *ret_clean_from)
{
    for (struct segment *segment = newest; segment != NULL; segment = segment->older) {
        void *block = chunks_take(&segment->chunks, size, alignment, ret_clean_from);
        if (block != NULL)
            return block;
    }
    return begin_segment() ? chunks_take(&newest->chunks, size, alignment, ret_clean_from) : NULL;
}

static struct chunks *chunks_of(const void *block)
{
    struct segment *segment = newest;
    while ((uintptr_t)block - segment->chunks.base >= SEGMENT_MAX ||
           (uintptr_t)block >= segment->chunks.committed)
        segment = segment->older;
    return &segment->chunks;
}

void sound_give(void *block)
{
    chunks_give(chunks_of(block), block);
}

bool sound_resize(void *block, size_t size)
{
    return chunks_resize(chunks_of(block), block, size);
}

size_t sound_capacity(const void *block)
{
    return chunks_capacity(block);
}

const struct sound_rules sound_rules = {.zero_is_null = false};
