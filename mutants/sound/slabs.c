/* SPDX-License-Identifier: MIT */
/*
 * Small blocks in spans, aligned to their size of 128 KiB, each cut into slots of one size; a map
 * of bits says which are in use. A larger block has a span of its own, as long as it needs.
 *
 *   span │ header │ slot │ slot │ …          span │ header │ … block, aligned │
 *
 * The header of a block is at (block - 1) rounded down to the span's alignment, since a block that
 * is aligned to a span, or more, begins one span above its header. See sound.h.
 */
#include "sound.h"

#include <sys/mman.h>

#define SPAN ((size_t)128 << 10)
enum { SMALL_MAX = 16 << 10, SLOTS_MAX = 1 << 14, EMPTY_MAX = 8 };

struct span {
    struct slabs *owner;
    struct span *next, *previous; /* in `partial`, or `empty` */
    size_t bytes;                 /* a large one: of its mapping */
    uintptr_t block, touched;     /* the first one; where the memory is still zero */
    size_t slot;                  /* bytes; of a large one, the capacity */
    uint32_t class, slots, used;
    uint64_t map[SLOTS_MAX / 64]; /* not of a large one */
};
enum { LARGE = SLAB_CLASSES, LARGE_HEADER = 64 };

/* Four classes for each power of two; two more for blocks of 8 and 24 bytes. */
static uint32_t class_of(size_t size, size_t alignment, size_t *ret_slot)
{
    if (alignment < ALIGNMENT) {
        *ret_slot = size <= 8 ? 8 : 24;
        return size <= 8 ? SLAB_CLASSES - 2 : SLAB_CLASSES - 1;
    }
    size = round_up(size, alignment);
    if (size <= 128) {
        *ret_slot = size;
        return (uint32_t)(size / 16 - 1);
    }
    unsigned shift = 63u - (unsigned)__builtin_clzl(size - 1);
    size_t step = (size_t)1 << (shift - 2), steps = (size - 1) / step;
    *ret_slot = (steps + 1) * step;
    return (uint32_t)(8 + (shift - 7) * 4 + steps - 4);
}

static struct span *span_of(const void *block)
{
    return (struct span *)(((uintptr_t)block - 1) & ~(SPAN - 1));
}

static void link_first(struct span **first, struct span *span)
{
    span->previous = NULL;
    span->next = *first;
    if (span->next != NULL)
        span->next->previous = span;
    *first = span;
}

static void unlink_span(struct span **first, struct span *span)
{
    if (span->next != NULL)
        span->next->previous = span->previous;
    if (span->previous != NULL)
        span->previous->next = span->next;
    else
        *first = span->next;
}

static struct span *span_take(struct slabs *slabs)
{
    struct span *span = slabs->empty;
    if (span == NULL) {
        span = pages_map(SPAN, SPAN);
        if (span != NULL)
            span->touched = (uintptr_t)span + sizeof *span;
        return span;
    }
    unlink_span(&slabs->empty, span);
    slabs->empty_count--;
    return span;
}

bool slabs_fill(struct slabs *slabs, size_t count)
{
    while (slabs->empty_count < count) {
        struct span *span = pages_map(SPAN, SPAN);
        if (span == NULL)
            return false;
        span->touched = (uintptr_t)span + sizeof *span;
        link_first(&slabs->empty, span);
        slabs->empty_count++;
    }
    return true;
}

static struct span *span_open(struct slabs *slabs, uint32_t class, size_t slot)
{
    struct span *span = span_take(slabs);
    if (span == NULL)
        return NULL;
    size_t lowest = slot & (0 - slot), align = lowest < ALIGNMENT ? ALIGNMENT : lowest;
    span->owner = slabs;
    span->bytes = 0;
    span->block = round_up((uintptr_t)span + sizeof *span, align < PAGE ? align : PAGE);
    span->slot = slot;
    span->class = class;
    span->slots = (uint32_t)(((uintptr_t)span + SPAN - span->block) / slot);
    span->used = 0;
    link_first(&slabs->partial[class], span);
    return span;
}

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    return *state ^= *state << 17;
}

/* The first free slot from `from` on, round the end. */
static uint32_t slot_find(const struct span *span, uint32_t from)
{
    for (uint32_t word = from / 64, looks = 0;; word++, looks++) {
        word = word * 64 < span->slots ? word : 0;
        uint64_t is_free = ~span->map[word];
        if (looks == 0)
            is_free &= UINT64_MAX << from % 64;
        if (span->slots - word * 64 < 64)
            is_free &= ((uint64_t)1 << (span->slots - word * 64)) - 1;
        if (is_free != 0)
            return word * 64 + (uint32_t)__builtin_ctzl(is_free);
    }
}

static void *small_take(struct slabs *slabs, size_t size, size_t alignment, uintptr_t *ret_clean)
{
    size_t slot;
    uint32_t class = class_of(size, alignment, &slot);
    struct span *span = slabs->partial[class];
    if (span == NULL && (span = span_open(slabs, class, slot)) == NULL)
        return NULL;
    uint32_t from = slabs->random != 0 ? (uint32_t)(random_next(&slabs->random) % span->slots) : 0;
    uint32_t index = slot_find(span, from);
    span->map[index / 64] |= (uint64_t)1 << index % 64;
    if (++span->used == span->slots)
        unlink_span(&slabs->partial[class], span);
    uintptr_t block = span->block + index * slot;
    *ret_clean = span->touched;
    if (span->touched < block + slot)
        span->touched = block + slot;
    return (void *)block;
}

static void *large_take(struct slabs *slabs, size_t size, size_t alignment, uintptr_t *ret_clean)
{
    size_t offset = alignment > LARGE_HEADER ? alignment : LARGE_HEADER, bytes;
    if (__builtin_add_overflow(round_up(size, PAGE), round_up(offset, PAGE), &bytes))
        return NULL;
    uintptr_t start = (uintptr_t)pages_map(bytes, alignment > SPAN ? alignment : SPAN);
    if (start == 0)
        return NULL;
    uintptr_t before = offset > SPAN ? offset - SPAN : 0;
    pages_unmap((void *)start, before);
    struct span *span = (struct span *)(start + before);
    span->owner = slabs;
    span->bytes = bytes - before;
    span->block = start + offset;
    span->slot = start + bytes - span->block;
    span->class = LARGE;
    *ret_clean = 0;
    return (void *)span->block;
}

void *slabs_take(struct slabs *slabs, size_t size, size_t alignment, uintptr_t *ret_clean_from)
{
    if (size <= SMALL_MAX && alignment <= PAGE)
        return small_take(slabs, size, alignment, ret_clean_from);
    return large_take(slabs, size, alignment, ret_clean_from);
}

static void span_give(struct span *span)
{
    struct slabs *slabs = span->owner;
    size_t most = slabs->empty_max != 0 ? slabs->empty_max : EMPTY_MAX;
    unlink_span(&slabs->partial[span->class], span);
    if (slabs->empty_count >= most) {
        pages_unmap(span, SPAN);
        return;
    }
    slabs->empty_count++;
    link_first(&slabs->empty, span);
}

void slabs_drain(struct slabs *slabs)
{
    while (slabs->empty != NULL)
        pages_unmap(span_take(slabs), SPAN);
}

void slabs_give(void *block)
{
    struct span *span = span_of(block);
    if (span->class == LARGE) {
        pages_unmap(span, span->bytes);
        return;
    }
    size_t index = ((uintptr_t)block - span->block) / span->slot;
    span->map[index / 64] &= ~((uint64_t)1 << index % 64);
    if (span->used-- == span->slots)
        link_first(&span->owner->partial[span->class], span);
    if (span->used == 0)
        span_give(span);
}

/* A block that needs less than half its slot moves, if it is small, or gives back whole pages. */
bool slabs_resize(void *block, size_t size)
{
    struct span *span = span_of(block);
    if (size > span->slot)
        return false;
    if (span->class != LARGE)
        return size > span->slot / 2 || span->slot <= 2 * ALIGNMENT;
    if (size > span->slot / 2)
        return true;
    uintptr_t end = (uintptr_t)span + span->bytes, new_end = round_up(span->block + size, PAGE);
    if (size <= SMALL_MAX)
        return false;
    pages_unmap((void *)new_end, end - new_end);
    span->bytes -= end - new_end;
    span->slot -= end - new_end;
    return true;
}

size_t slabs_class(const void *block)
{
    return span_of(block)->class;
}

size_t slabs_capacity(const void *block)
{
    return span_of(block)->slot;
}

struct slabs *slabs_of(const void *block)
{
    return span_of(block)->owner;
}
