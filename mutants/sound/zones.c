/* SPDX-License-Identifier: MIT */
/*
 * Zones, as many courses ask for them (42's ft_malloc): small blocks of two kinds, tiny and medium,
 * lie in mappings that hold a hundred of the largest of their kind; first fit, split, merged with
 * both neighbours. A zone without a block is unmapped, but for one of each kind. A larger block, or
 * one that is aligned further, is a mapping of its own.
 *
 *   zone │ head │ block │ block (free) │ block │ … │ a rest that is too small to be split off │
 *
 * The mutant zone_end_is_large is this source as well.
 */
#include "sound.h"

#include "mutants/registry.h"

#ifndef MUTANT_ID
#define MUTANT_ID MUTANT_none
#endif
#define HAS(name) (MUTANT_ID == MUTANT_##name)

enum { KINDS = 2, BLOCKS = 100, LOOKS = 8, HEADER = 32, SPLIT_MIN = HEADER + ALIGNMENT };
static const size_t kind_max[KINDS] = {128, 2048};

struct block {
    struct block *before, *after; /* in its zone */
    struct zone *zone;            /* NULL: it is a mapping of its own */
    size_t size;                  /* bytes behind this header, and LIVE in a zone */
};

struct zone {
    struct zone *next, *previous; /* of its kind, with room: a ring; NULL: it is full */
    size_t kind, bytes, live;
    size_t room; /* no free block is larger */
};
_Static_assert(sizeof(struct block) == HEADER && sizeof(struct zone) % ALIGNMENT == 0,
               "blocks are aligned");

enum { LIVE = 1 }; /* in a size */

static struct zone *zones[KINDS]; /* with room: the next to look at */
static struct zone *empty[KINDS]; /* without a block, or NULL */

static struct block *block_of(const void *start)
{
    return (struct block *)((uintptr_t)start - HEADER);
}

static size_t size_of(const struct block *block)
{
    return block->size & ~(size_t)LIVE;
}

static struct block *first_of(const struct zone *zone)
{
    return (struct block *)((uintptr_t)zone + sizeof *zone);
}

/* ---- blocks that are mappings: a page before the block has its header ---- */

static void *mapping_take(size_t size, size_t alignment, uintptr_t *ret_clean_from)
{
    size_t front = alignment > PAGE ? alignment : PAGE;
    if (size > PTRDIFF_MAX - front - PAGE)
        return NULL;
    size_t bytes = round_up(front + size, PAGE);
    char *start = pages_map(bytes, front);
    if (start == NULL)
        return NULL;
    pages_unmap(start, front - PAGE);
    *block_of(start + front) = (struct block){.size = bytes - front};
    *ret_clean_from = (uintptr_t)(start + front);
    return start + front;
}

static void mapping_give(struct block *block)
{
    uintptr_t from = (uintptr_t)block & ~(uintptr_t)(PAGE - 1);
    pages_unmap((void *)from, PAGE + round_up(size_of(block), PAGE));
}

static bool is_mapping(const struct block *block)
{
    bool ends_zone = block->zone != NULL && block->after == NULL;
    return block->zone == NULL ||
           (HAS(zone_end_is_large) && ends_zone && size_of(block) > kind_max[KINDS - 1]);
}

/* ---- blocks in zones ---- */

static void zone_link(struct zone *zone)
{
    struct zone **at = &zones[zone->kind], *next = *at == NULL ? zone : *at,
                *previous = *at == NULL ? zone : next->previous;
    zone->next = next;
    zone->previous = previous;
    next->previous = previous->next = *at = zone;
}

static void zone_unlink(struct zone *zone)
{
    struct zone **at = &zones[zone->kind];
    if (*at == zone)
        *at = zone->next == zone ? NULL : zone->next;
    zone->next->previous = zone->previous;
    zone->previous->next = zone->next;
    zone->next = zone->previous = NULL;
}

static struct zone *zone_make(size_t kind)
{
    size_t bytes = round_up(sizeof(struct zone) + BLOCKS * (HEADER + kind_max[kind]), PAGE);
    struct zone *zone = pages_map(bytes, PAGE);
    if (zone == NULL)
        return NULL;
    *zone = (struct zone){.kind = kind, .bytes = bytes, .room = bytes - sizeof *zone - HEADER};
    *first_of(zone) = (struct block){.zone = zone, .size = zone->room};
    zone_link(zone);
    empty[kind] = zone;
    return zone;
}

/* A block of that many bytes is free in it now. */
static void zone_has_room(struct zone *zone, size_t size)
{
    zone->room = zone->room > size ? zone->room : size;
    if (zone->next == NULL)
        zone_link(zone);
}

static void zone_is_empty(struct zone *zone)
{
    if (empty[zone->kind] == NULL) {
        empty[zone->kind] = zone;
        return;
    }
    zone_unlink(zone);
    pages_unmap(zone, zone->bytes);
}

/* With the free block after it, if there is one. */
static void merge(struct block *block)
{
    struct block *after = block->after;
    if (after == NULL || (after->size & LIVE) != 0)
        return;
    block->size = (uintptr_t)after - (uintptr_t)block + after->size;
    block->after = after->after;
    if (block->after != NULL)
        block->after->before = block;
}

/*
 *   │ block, size            │ after │        │ block, need │ rest (free)  │ after │
 */
static void split(struct block *block, size_t need)
{
    size_t size = size_of(block);
    if (size - need < SPLIT_MIN)
        return;
    struct block *rest = (struct block *)((uintptr_t)block + HEADER + need);
    *rest = (struct block){block, block->after, block->zone, size - need - HEADER};
    if (rest->after != NULL)
        rest->after->before = rest;
    block->after = rest;
    block->size = need | (block->size & LIVE);
    merge(rest);
    zone_has_room(rest->zone, rest->size);
}

static struct block *zone_find(struct zone *zone, size_t need)
{
    size_t room = 0;
    if (zone->room < need)
        return NULL;
    for (struct block *block = first_of(zone); block != NULL; block = block->after) {
        if ((block->size & LIVE) != 0)
            continue;
        if (block->size >= need)
            return block;
        room = room > block->size ? room : block->size;
    }
    zone->room = room;
    if (room == 0)
        zone_unlink(zone);
    return NULL;
}

static struct block *find_free(size_t kind, size_t need)
{
    for (unsigned looks = 0; looks < LOOKS && zones[kind] != NULL; looks++) {
        struct zone *zone = zones[kind];
        struct block *block = zone_find(zone, need);
        if (block != NULL)
            return block;
        if (zones[kind] == zone)
            zones[kind] = zone->next;
    }
    struct zone *zone = zone_make(kind);
    return zone == NULL ? NULL : first_of(zone);
}

void *sound_take(size_t size, size_t alignment, uintptr_t *ret_clean_from)
{
    if (size > kind_max[KINDS - 1] || alignment > ALIGNMENT)
        return mapping_take(size, alignment, ret_clean_from);
    size_t need = round_up(size, ALIGNMENT);
    struct block *block = find_free(need > kind_max[0], need);
    if (block == NULL)
        return NULL;
    block->size |= LIVE;
    if (block->zone->live++ == 0)
        empty[block->zone->kind] = NULL;
    split(block, need);
    return block + 1;
}

void sound_give(void *start)
{
    struct block *block = block_of(start);
    if (is_mapping(block)) {
        mapping_give(block);
        return;
    }
    block->size &= ~(size_t)LIVE;
    block->zone->live--;
    merge(block);
    if (block->before != NULL && (block->before->size & LIVE) == 0) {
        block = block->before;
        merge(block);
    }
    zone_has_room(block->zone, block->size);
    if (block->zone->live == 0)
        zone_is_empty(block->zone);
}

bool sound_resize(void *start, size_t size)
{
    struct block *block = block_of(start);
    if (size > size_of(block) || (block->zone == NULL && size < size_of(block) / 2))
        return false;
    if (block->zone != NULL)
        split(block, round_up(size, ALIGNMENT));
    return true;
}

size_t sound_capacity(const void *start)
{
    return size_of(block_of(start));
}

const struct sound_rules sound_rules = {0};
