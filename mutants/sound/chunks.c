/* SPDX-License-Identifier: MIT */
/*
 * A heap with boundary tags: chunks lie side by side from the base to top; free neighbours are
 * merged, and none lies below top. Memory above `touched` is zero, above `committed` without access
 * yet. See sound.h.
 *
 *   base                                           top            touched      committed      end
 *    │ chunk │ chunk (free, in a bin) │ chunk │ …  │ was used once │ zero yet … │ no access yet … │
 */
#include "sound.h"

enum { HEADER = 16, CHUNK_MIN = 32, LIVE = 1 };
#define COMMIT_STEP ((size_t)64 << 10)
#define TOP_KEPT    ((size_t)1 << 20)

struct chunk {
    size_t below;                  /* bytes of the chunk below, 0: none */
    size_t tag;                    /* bytes, header included, and LIVE */
    struct chunk *next, *previous; /* in a bin, while free: here begins the block */
};

static size_t size_of(const struct chunk *chunk)
{
    return chunk->tag & ~(size_t)LIVE;
}

static struct chunk *chunk_of(const void *block)
{
    return (struct chunk *)((uintptr_t)block - HEADER);
}

static struct chunk *chunk_at(const struct chunk *chunk, size_t offset)
{
    return (struct chunk *)((uintptr_t)chunk + offset);
}

static struct chunk **bin_of(struct chunks *chunks, size_t size)
{
    unsigned shift = 63u - (unsigned)__builtin_clzl(size);
    return &chunks->bins[(shift - 5) * 4 + (size >> (shift - 2)) % 4];
}

static void bin_unlink(struct chunks *chunks, struct chunk *chunk)
{
    if (chunk->next != NULL)
        chunk->next->previous = chunk->previous;
    if (chunk->previous != NULL)
        chunk->previous->next = chunk->next;
    else
        *bin_of(chunks, size_of(chunk)) = chunk->next;
}

static void bin_link(struct chunks *chunks, struct chunk *chunk)
{
    struct chunk **first = bin_of(chunks, size_of(chunk));
    chunk->previous = NULL;
    chunk->next = *first;
    if (chunk->next != NULL)
        chunk->next->previous = chunk;
    *first = chunk;
}

/* Sets the size, and the boundary tag above. */
static void set_size(struct chunks *chunks, struct chunk *chunk, size_t size, size_t flags)
{
    chunk->tag = size | flags;
    if ((uintptr_t)chunk + size == chunks->top)
        chunks->last = size;
    else
        chunk_at(chunk, size)->below = size;
}

static struct chunk *free_above(const struct chunks *chunks, const struct chunk *chunk)
{
    struct chunk *above = chunk_at(chunk, size_of(chunk));
    return (uintptr_t)above != chunks->top && (above->tag & LIVE) == 0 ? above : NULL;
}

static struct chunk *free_below(const struct chunk *chunk)
{
    struct chunk *below = chunk_at(chunk, 0 - chunk->below);
    return chunk->below != 0 && (below->tag & LIVE) == 0 ? below : NULL;
}

/* Gives the memory well above top back. */
static void trim(struct chunks *chunks)
{
    uintptr_t from = round_up(chunks->top, COMMIT_STEP) + TOP_KEPT;
    if (chunks->decommit == NULL || chunks->committed <= from + TOP_KEPT ||
        !chunks->decommit(from, chunks->committed))
        return;
    chunks->committed = from;
    if (chunks->touched > from)
        chunks->touched = from;
}

static void give(struct chunks *chunks, struct chunk *chunk)
{
    struct chunk *above = free_above(chunks, chunk), *below = free_below(chunk);
    size_t size = size_of(chunk);
    if (above != NULL) {
        bin_unlink(chunks, above);
        size += size_of(above);
    }
    if (below != NULL) {
        bin_unlink(chunks, below);
        size += size_of(below);
        chunk = below;
    }
    if ((uintptr_t)chunk + size == chunks->top) {
        chunks->top = (uintptr_t)chunk;
        chunks->last = chunk->below;
        trim(chunks);
        return;
    }
    set_size(chunks, chunk, size, 0);
    bin_link(chunks, chunk);
}

/* │ chunk ───────────── │   →   │ chunk: need │ rest: given back │ */
static void split(struct chunks *chunks, struct chunk *chunk, size_t need)
{
    size_t rest = size_of(chunk) - need;
    if (rest < CHUNK_MIN)
        return;
    set_size(chunks, chunk_at(chunk, need), rest, LIVE);
    set_size(chunks, chunk, need, LIVE);
    give(chunks, chunk_at(chunk, need));
}

/* Moves top up by `size`; false: no memory. */
static bool top_raise(struct chunks *chunks, size_t size)
{
    if (chunks->top == 0)
        chunks->top = chunks->touched = chunks->committed = chunks->base;
    if (chunks->end - chunks->top < size)
        return false;
    uintptr_t top = chunks->top + size, to = round_up(top, COMMIT_STEP);
    to = to < chunks->end ? to : chunks->end;
    if (chunks->commit != NULL && to > chunks->committed) {
        if (!chunks->commit(chunks->committed, to))
            return false;
        chunks->committed = to;
    }
    chunks->top = top;
    if (chunks->touched < top)
        chunks->touched = top;
    return true;
}

static struct chunk *search(struct chunks *chunks, size_t need)
{
    for (struct chunk **bin = bin_of(chunks, need); bin < chunks->bins + CHUNK_BINS; bin++) {
        size_t looks = chunks->looks;
        for (struct chunk *chunk = *bin; chunk != NULL; chunk = chunk->next) {
            if (size_of(chunk) >= need)
                return chunk;
            if (looks != 0 && --looks == 0)
                break;
        }
    }
    return NULL;
}

static struct chunk *take(struct chunks *chunks, size_t need, uintptr_t *ret_clean_from)
{
    struct chunk *chunk = search(chunks, need);
    if (chunk != NULL) {
        bin_unlink(chunks, chunk);
        chunk->tag |= LIVE;
        split(chunks, chunk, need);
        return chunk;
    }
    uintptr_t touched = chunks->touched;
    size_t below = chunks->last;
    if (!top_raise(chunks, need))
        return NULL;
    *ret_clean_from = touched != 0 ? touched : chunks->base;
    chunk = (struct chunk *)(chunks->top - need);
    chunk->below = below;
    set_size(chunks, chunk, need, LIVE);
    return chunk;
}

static size_t need_of(size_t size)
{
    size_t need = round_up(size + HEADER, ALIGNMENT);
    return need > CHUNK_MIN ? need : CHUNK_MIN;
}

/* │ chunk ──────────────────────── │   →   │ given back │ chunk: aligned │ given back │ */
void *chunks_take(struct chunks *chunks, size_t size, size_t alignment, uintptr_t *ret_clean_from)
{
    size_t limit = chunks->end - chunks->base, need = need_of(size);
    if (size > limit || alignment > limit)
        return NULL;
    if (alignment <= ALIGNMENT) {
        struct chunk *chunk = take(chunks, need, ret_clean_from);
        return chunk != NULL ? &chunk->next : NULL;
    }
    struct chunk *front = take(chunks, need + alignment + CHUNK_MIN, ret_clean_from);
    if (front == NULL)
        return NULL;
    uintptr_t block = round_up((uintptr_t)&front->next + CHUNK_MIN, alignment);
    struct chunk *chunk = chunk_of((void *)block);
    size_t gap = (uintptr_t)chunk - (uintptr_t)front;
    set_size(chunks, chunk, size_of(front) - gap, LIVE);
    set_size(chunks, front, gap, LIVE);
    give(chunks, front);
    split(chunks, chunk, need);
    return (void *)block;
}

void chunks_give(struct chunks *chunks, void *block)
{
    give(chunks, chunk_of(block));
}

bool chunks_resize(struct chunks *chunks, void *block, size_t size)
{
    struct chunk *chunk = chunk_of(block);
    if (size > chunks->end - chunks->base)
        return false;
    size_t need = need_of(size), old = size_of(chunk);
    struct chunk *above = free_above(chunks, chunk);
    if (need > old && above != NULL && old + size_of(above) >= need) {
        bin_unlink(chunks, above);
        set_size(chunks, chunk, old + size_of(above), LIVE);
    } else if (need > old && (uintptr_t)chunk + old == chunks->top &&
               top_raise(chunks, need - old)) {
        set_size(chunks, chunk, need, LIVE);
    }
    if (size_of(chunk) < need)
        return false;
    split(chunks, chunk, need);
    return true;
}

size_t chunks_capacity(const void *block)
{
    return size_of(chunk_of(block)) - HEADER;
}
