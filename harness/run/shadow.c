/* SPDX-License-Identifier: MIT */
/*
 * The order by address: a row of buckets, as the leaves and the one inner node of a B+-tree. With
 * the tens of live blocks of a fuzzed trace it is one bucket; with the thousands of a recorded
 * program the row is searched like a bucket, and changes once in a dozen insertions.
 *
 * Ends are not kept here: they are in the block, and asked for at one or two places of each search.
 */
#include "harness/run/shadow.h"

#include "harness/trace/trace_slots.h"

#include <string.h>

enum {
    BUCKET_HALF = BUCKET_MAX / 2,
    SLOT_BITS = 16,
    SLOT_MASK = TRACE_SLOTS - 1,
    ADDRESS_BITS = 64 - SLOT_BITS
};
_Static_assert(TRACE_SLOTS == 1 << SLOT_BITS, "a key holds a slot");

static uintptr_t end_of(uintptr_t start, size_t length)
{
    return start + (length > 0 ? length : 1);
}

static uintptr_t block_end(const struct shadow *shadow, uint32_t slot)
{
    const struct block *block = &shadow->blocks[slot];
    return end_of((uintptr_t)block->start, block->capacity);
}

static uint32_t slot_of(uint64_t key)
{
    return (uint32_t)(key & SLOT_MASK);
}

static struct bucket *bucket_at(struct shadow *shadow, uint32_t place)
{
    return &shadow->pool[shadow->row[place]];
}

/* The largest key that a block starting there could have; no address above 48 bits is a user's. */
static uint64_t key_up_to(uintptr_t address)
{
    return (uint64_t)address >> ADDRESS_BITS == 0 ? (uint64_t)address << SLOT_BITS | SLOT_MASK
                                                  : UINT64_MAX - 1;
}

/* How many keys of a bucket are at most `key`. Always as many steps, by arithmetic: a branch could
 * not be guessed. */
static uint32_t bucket_count_up_to(const struct bucket *bucket, uint64_t key)
{
    size_t index = 0;
    for (size_t step = BUCKET_HALF; step > 0; step /= 2)
        index += step & -(size_t)(bucket->keys[index + step - 1] <= key);
    return (uint32_t)(index + (bucket->keys[index] <= key));
}

/* The bucket of the row that holds, or would hold, a key. */
static uint32_t row_find(const struct shadow *shadow, uint64_t key)
{
    uint32_t low = 0, high = shadow->buckets;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (shadow->firsts[middle] <= key)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static inline struct place find(struct shadow *shadow, uintptr_t address)
{
    if (shadow->last_address == address)
        return shadow->last_place;
    uint64_t key = key_up_to(address);
    struct place place = {.bucket = row_find(shadow, key)};
    if (shadow->buckets > 0)
        place.index = bucket_count_up_to(bucket_at(shadow, place.bucket), key);
    shadow->last_address = address;
    shadow->last_place = place;
    return place;
}

/* The slot before or behind a place; TRACE_SLOTS: there is none. Of two buckets none is empty. */
static uint32_t slot_before(struct shadow *shadow, struct place place)
{
    if (place.index == 0) {
        if (place.bucket == 0)
            return TRACE_SLOTS;
        place.index = bucket_at(shadow, --place.bucket)->count;
    }
    return slot_of(bucket_at(shadow, place.bucket)->keys[place.index - 1]);
}

static uint32_t slot_behind(struct shadow *shadow, struct place place)
{
    if (place.bucket >= shadow->buckets)
        return TRACE_SLOTS;
    if (place.index == bucket_at(shadow, place.bucket)->count) {
        if (++place.bucket == shadow->buckets)
            return TRACE_SLOTS;
        place.index = 0;
    }
    const struct bucket *bucket = bucket_at(shadow, place.bucket);
    return bucket->count > 0 ? slot_of(bucket->keys[place.index]) : TRACE_SLOTS;
}

uint32_t shadow_find_overlap(struct shadow *shadow, const void *start, size_t length)
{
    struct place place = find(shadow, (uintptr_t)start);
    uint32_t before = slot_before(shadow, place);
    if (before != TRACE_SLOTS && block_end(shadow, before) > (uintptr_t)start)
        return before;
    uint32_t behind = slot_behind(shadow, place);
    if (behind != TRACE_SLOTS &&
        (uintptr_t)shadow->blocks[behind].start < end_of((uintptr_t)start, length))
        return behind;
    return TRACE_SLOTS;
}

void shadow_find_gaps(struct shadow *shadow, const void *start, size_t length, size_t *ret_below,
                      size_t *ret_above)
{
    struct place place = find(shadow, (uintptr_t)start);
    uint32_t behind = slot_behind(shadow, place), before = slot_before(shadow, place);
    if (before != TRACE_SLOTS && shadow->blocks[before].start == start) {
        /* it stands in front of the place, in this bucket: a search leads behind what starts
         * there */
        place.index--;
        before = slot_before(shadow, place);
    }
    *ret_below = before != TRACE_SLOTS ? (uintptr_t)start - block_end(shadow, before) : SIZE_MAX;
    *ret_above = behind != TRACE_SLOTS
                     ? (uintptr_t)shadow->blocks[behind].start - ((uintptr_t)start + length)
                     : SIZE_MAX;
}

/* ---- buckets ---- */

static void row_insert(struct shadow *shadow, uint32_t place, uint64_t first)
{
    uint32_t behind = shadow->buckets++ - place;
    memmove(&shadow->row[place + 1], &shadow->row[place], behind * sizeof shadow->row[0]);
    memmove(&shadow->firsts[place + 1], &shadow->firsts[place], behind * sizeof shadow->firsts[0]);
    shadow->row[place] =
        (uint16_t)(shadow->spares > 0 ? shadow->spare[--shadow->spares] : shadow->pool_used++);
    shadow->firsts[place] = first;
    struct bucket *bucket = bucket_at(shadow, place);
    bucket->count = 0;
    memset(bucket->keys, UINT8_MAX, sizeof bucket->keys);
}

static void row_remove(struct shadow *shadow, uint32_t place)
{
    shadow->spare[shadow->spares++] = shadow->row[place];
    uint32_t behind = --shadow->buckets - place;
    memmove(&shadow->row[place], &shadow->row[place + 1], behind * sizeof shadow->row[0]);
    memmove(&shadow->firsts[place], &shadow->firsts[place + 1], behind * sizeof shadow->firsts[0]);
}

/* Moves all keys of a bucket from `index` on to the end of another. */
static void bucket_move(struct bucket *target, struct bucket *source, uint32_t index)
{
    uint32_t count = source->count - index;
    memcpy(&target->keys[target->count], &source->keys[index], count * sizeof source->keys[0]);
    memset(&source->keys[index], UINT8_MAX, count * sizeof source->keys[0]);
    target->count += count;
    source->count = index;
}

/*
 *   before   | a b c d e f |
 *   after    | a b c | d e f |
 */
static void bucket_split(struct shadow *shadow, uint32_t place)
{
    row_insert(shadow, place + 1, bucket_at(shadow, place)->keys[BUCKET_HALF]);
    bucket_move(bucket_at(shadow, place + 1), bucket_at(shadow, place), BUCKET_HALF);
}

/* Joins a bucket of the row with the next, if there is one and both are small. */
static void bucket_join(struct shadow *shadow, uint32_t place)
{
    if (place + 1 >= shadow->buckets)
        return;
    struct bucket *left = bucket_at(shadow, place), *right = bucket_at(shadow, place + 1);
    if (left->count + right->count > BUCKET_HALF && left->count > 0 && right->count > 0)
        return;
    bucket_move(left, right, 0);
    row_remove(shadow, place + 1);
}

static void order_insert(struct shadow *shadow, uint32_t slot, uintptr_t start)
{
    if (shadow->buckets == 0)
        row_insert(shadow, 0, 0);
    struct place place = find(shadow, start);
    if (bucket_at(shadow, place.bucket)->count == BUCKET_MAX) {
        bucket_split(shadow, place.bucket);
        shadow->last_address = 0;
        place = find(shadow, start);
    }
    struct bucket *bucket = bucket_at(shadow, place.bucket);
    uint32_t behind = bucket->count++ - place.index;
    memmove(&bucket->keys[place.index + 1], &bucket->keys[place.index],
            behind * sizeof bucket->keys[0]);
    bucket->keys[place.index] = (uint64_t)start << SLOT_BITS | slot;
    shadow->last_address = 0;
}

static void order_remove(struct shadow *shadow, uintptr_t start)
{
    struct place place = find(shadow, start);
    struct bucket *bucket = bucket_at(shadow, place.bucket);
    uint32_t behind = bucket->count-- - place.index;
    memmove(&bucket->keys[place.index - 1], &bucket->keys[place.index],
            behind * sizeof bucket->keys[0]);
    bucket->keys[bucket->count] = UINT64_MAX;
    shadow->last_address = 0;
    if (bucket->count > BUCKET_HALF || shadow->buckets == 1)
        return;
    bucket_join(shadow, place.bucket);
    if (place.bucket > 0)
        bucket_join(shadow, place.bucket - 1);
}

/* ---- blocks ---- */

void shadow_insert(struct shadow *shadow, uint32_t slot)
{
    const struct block *block = &shadow->blocks[slot];
    order_insert(shadow, slot, (uintptr_t)block->start);
    slot_set_add(&shadow->live, slot);
    shadow->live_size += block->size;
    shadow->live_claim += block->claim;
    if (block->capacity <= block->fill_max)
        shadow->filled += block->capacity;
}

void shadow_remove(struct shadow *shadow, uint32_t slot)
{
    struct block *block = &shadow->blocks[slot];
    order_remove(shadow, (uintptr_t)block->start);
    slot_set_remove(&shadow->live, slot);
    shadow->live_size -= block->size;
    shadow->live_claim -= block->claim;
    if (block->capacity <= block->fill_max)
        shadow->filled -= block->capacity;
    *block = (struct block){0};
}

void shadow_clear(struct shadow *shadow)
{
    while (shadow->live.count > 0) {
        uint32_t slot = slot_set_next_live(&shadow->live, 0);
        shadow->blocks[slot] = (struct block){0};
        slot_set_remove(&shadow->live, slot);
    }
    shadow->live_size = shadow->live_claim = shadow->filled = 0;
    shadow->buckets = shadow->spares = shadow->pool_used = 0;
    shadow->last_address = 0;
}
