/* SPDX-License-Identifier: MIT */
/*
 * No address is used twice, in 1 TiB of them. Blocks lie side by side in spans of 16 KiB, a large
 * one in a span of its own; a span whose blocks are all freed gives its memory back.
 *
 *   span │ count, bytes │ capacity │ block │ capacity │ block │ …
 */
#include "sound.h"

#include <sys/mman.h>

#define ADDRESSES ((size_t)1 << 40)
enum { SPAN = 16 << 10, HEADER = 16, SMALL_MAX = SPAN / 4 };

struct span {
    union {
        size_t live;               /* blocks, and 1 while it is the current one */
        struct span *next_refused; /* once all are freed */
    };
    size_t bytes;
};

static uintptr_t next, end; /* what was never used */
static struct span *current;
static uintptr_t current_next;
static struct span *refused; /* the system did not take their memory back: they are offered again */

static struct span *span_of(const void *block)
{
    return (struct span *)(((uintptr_t)block - 1) & ~(uintptr_t)(SPAN - 1));
}

static size_t *capacity_of(const void *block)
{
    return (size_t *)((uintptr_t)block - sizeof(size_t));
}

static bool set_up(void)
{
    if (end != 0)
        return true;
    void *memory = mmap(NULL, ADDRESSES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    madvise(memory, ADDRESSES, MADV_DONTDUMP);
    next = round_up((uintptr_t)memory, SPAN);
    end = (uintptr_t)memory + ADDRESSES;
    return true;
}

static void span_drop(struct span *span)
{
    if (madvise(span, span->bytes, MADV_DONTNEED) == 0)
        return;
    span->next_refused = refused;
    refused = span;
}

static struct span *span_new(size_t bytes, size_t alignment)
{
    struct span *again = refused;
    if (again != NULL) {
        refused = again->next_refused;
        span_drop(again);
    }
    uintptr_t start;
    if (!set_up() || (start = round_up(next, alignment)) < next || start > end ||
        bytes > end - start)
        return NULL;
    next = start + bytes;
    return (struct span *)start;
}

static void span_leave(struct span *span)
{
    if (--span->live == 0)
        span_drop(span);
}

static void *large_take(size_t size, size_t alignment)
{
    size_t offset = alignment > 2 * HEADER ? alignment : 2 * HEADER;
    size_t bytes = round_up(round_up(size, SPAN) + offset, SPAN);
    struct span *span = span_new(bytes, alignment > SPAN ? alignment : SPAN);
    if (span == NULL)
        return NULL;
    void *block = (void *)((uintptr_t)span + offset);
    struct span *header = span_of(block);
    *header = (struct span){.live = 1, .bytes = (uintptr_t)span + bytes - (uintptr_t)header};
    *capacity_of(block) = (uintptr_t)span + bytes - (uintptr_t)block;
    return block;
}

void *sound_take(size_t size, size_t alignment, uintptr_t *ret_clean_from)
{
    *ret_clean_from = 0;
    if (size > ADDRESSES || alignment > ADDRESSES)
        return NULL;
    if (size > SMALL_MAX || alignment > SMALL_MAX)
        return large_take(size, alignment);
    size = round_up(size, HEADER);
    uintptr_t block = round_up(current_next + HEADER, alignment);
    if (current == NULL || block + size > (uintptr_t)current + SPAN) {
        struct span *fresh = span_new(SPAN, SPAN);
        if (fresh == NULL)
            return NULL;
        if (current != NULL)
            span_leave(current);
        current = fresh;
        *current = (struct span){.live = 1, .bytes = SPAN};
        block = round_up((uintptr_t)current + 2 * HEADER, alignment);
    }
    current->live++;
    current_next = block + size;
    *capacity_of((void *)block) = size;
    return (void *)block;
}

void sound_give(void *block)
{
    span_leave(span_of(block));
}

size_t sound_capacity(const void *block)
{
    return *capacity_of(block);
}

bool sound_resize(void *block, size_t size)
{
    size_t capacity = *capacity_of(block);
    return size <= capacity && (size >= capacity / 2 || capacity <= SMALL_MAX);
}

const struct sound_rules sound_rules = {.zero_is_null = false};
