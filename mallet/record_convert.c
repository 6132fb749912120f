/* SPDX-License-Identifier: MIT */
/*
 * Walks the log in order and keeps a hash map from address to slot. The log's order is that of a
 * correct allocator: an address is given out only after its last owner's end. Where that does not
 * hold, because the libc freed a block behind our back, the old owner is freed first.
 */
#include "mallet/record_convert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 4096, NO_SLOT = TRACE_SLOTS };

/* Open addressing, linear probing; at most half full, since it has two entries for each slot. */
enum { MAP_ENTRIES = 2 * TRACE_SLOTS };
struct entry {
    uint64_t address; /* 0: empty */
    uint32_t slot;
};

struct converter {
    struct trace *trace;
    struct record_summary summary;
    struct entry map[MAP_ENTRIES];
    uint64_t free_slots[TRACE_SLOTS / 64]; /* bit set: taken */
    uint64_t sizes[TRACE_SLOTS];           /* bytes requested */
    size_t live_blocks, live_size;
    uint32_t threads[THREADS_MAX]; /* by small number, in order of appearance */
    /* slot that the thread's realloc under way works on, or NO_SLOT */
    uint32_t moving[THREADS_MAX];
    uint32_t thread; /* small number of the thread that made the last op */
};

static size_t hash(uint64_t address)
{
    return (size_t)(address * 0x9e3779b97f4a7c15u >> 47) % MAP_ENTRIES;
}

static struct entry *map_find(struct converter *converter, uint64_t address)
{
    size_t i = hash(address);
    while (converter->map[i].address != 0 && converter->map[i].address != address)
        i = (i + 1) % MAP_ENTRIES;
    return &converter->map[i];
}

/* Closes the gap that a removal leaves, so that every probe sequence stays unbroken. */
static void map_remove(struct converter *converter, struct entry *entry)
{
    size_t gap = (size_t)(entry - converter->map);
    for (size_t i = (gap + 1) % MAP_ENTRIES; converter->map[i].address != 0;
         i = (i + 1) % MAP_ENTRIES) {
        size_t home = hash(converter->map[i].address);
        if ((i - home) % MAP_ENTRIES >= (i - gap) % MAP_ENTRIES) {
            converter->map[gap] = converter->map[i];
            gap = i;
        }
    }
    converter->map[gap].address = 0;
}

/* The slot of a live block, which is then no longer in the map; NO_SLOT for an unknown one. */
static uint32_t map_take(struct converter *converter, uint64_t address)
{
    struct entry *entry = map_find(converter, address);
    if (entry->address == 0)
        return NO_SLOT;
    uint32_t slot = entry->slot;
    map_remove(converter, entry);
    return slot;
}

static uint32_t slot_take(struct converter *converter)
{
    for (uint32_t i = 0; i < TRACE_SLOTS / 64; i++) {
        if (converter->free_slots[i] == UINT64_MAX)
            continue;
        unsigned bit = (unsigned)__builtin_ctzll(~converter->free_slots[i]);
        converter->free_slots[i] |= 1ull << bit;
        return i * 64 + bit;
    }
    return NO_SLOT;
}

static void slot_give(struct converter *converter, uint32_t slot)
{
    converter->free_slots[slot / 64] &= ~(1ull << slot % 64);
    converter->live_blocks--;
    converter->live_size -= converter->sizes[slot];
}

static void slot_resize(struct converter *converter, uint32_t slot, uint64_t size)
{
    converter->live_size += size - converter->sizes[slot];
    converter->sizes[slot] = size;
    if (converter->live_size > converter->summary.peak_size)
        converter->summary.peak_size = converter->live_size;
}

static void add_op(struct converter *converter, struct trace_op op)
{
    converter->trace->ops[converter->trace->count++] = op;
}

static void add_free(struct converter *converter, uint32_t slot)
{
    add_op(converter, (struct trace_op){.kind = OP_FREE, .slot = slot});
    slot_give(converter, slot);
}

/* The small number of a thread, entered at its first appearance; those beyond the table share the
 * last number. */
static uint32_t thread_number(struct converter *converter, uint32_t id)
{
    uint32_t number = 0;
    while (number < converter->summary.threads && converter->threads[number] != id)
        number++;
    if (number == converter->summary.threads && number < THREADS_MAX) {
        converter->threads[number] = id;
        converter->moving[number] = NO_SLOT;
        converter->summary.threads++;
    }
    return number < THREADS_MAX ? number : THREADS_MAX - 1;
}

static void switch_thread(struct converter *converter, uint32_t number)
{
    if (number == converter->thread)
        return;
    add_op(converter, (struct trace_op){.kind = OP_THREAD, .extra = number});
    converter->thread = number;
}

/* A block from the log takes a slot; one at the address of a block that is still live ends that
 * one. */
static void bind_slot(struct converter *converter, uint32_t slot, uint64_t address)
{
    uint32_t stale = map_take(converter, address);
    if (stale != NO_SLOT)
        add_free(converter, stale);
    *map_find(converter, address) = (struct entry){address, slot};
}

static uint64_t total_size(const struct record *record)
{
    bool has_count = (trace_op_traits((enum op_kind)record->op) & OP_HAS_COUNT) != 0;
    return has_count ? record->size * record->extra : record->size;
}

static void convert_allocate(struct converter *converter, const struct record *record)
{
    uint32_t slot = slot_take(converter);
    if (slot == NO_SLOT) {
        converter->summary.missed++;
        return;
    }
    if (record->block != 0)
        bind_slot(converter, slot, record->block);
    add_op(converter, (struct trace_op){.kind = (uint8_t)record->op,
                                        .slot = slot,
                                        .size = record->size,
                                        .extra = record->extra});
    converter->sizes[slot] = 0;
    if (++converter->live_blocks > converter->summary.peak_blocks)
        converter->summary.peak_blocks = converter->live_blocks;
    if (record->block == 0)
        add_free(converter, slot); /* the slot of a failed call is live with NULL */
    else
        slot_resize(converter, slot, total_size(record));
}

static void convert_free(struct converter *converter, const struct record *record)
{
    if (record->block == 0) {
        add_op(converter, (struct trace_op){.kind = OP_FREE_NULL});
        return;
    }
    uint32_t slot = map_take(converter, record->block);
    if (slot == NO_SLOT)
        converter->summary.unknown++;
    else
        add_free(converter, slot);
}

static void convert_move_end(struct converter *converter, const struct record *record,
                             uint32_t number)
{
    uint32_t slot = converter->moving[number];
    converter->moving[number] = NO_SLOT;
    if (slot == NO_SLOT) {
        converter->summary.unknown++;
        return;
    }
    add_op(converter, (struct trace_op){.kind = (uint8_t)record->op,
                                        .slot = slot,
                                        .size = record->size,
                                        .extra = record->extra});
    if (record->block != 0) {
        bind_slot(converter, slot, record->block);
        slot_resize(converter, slot, total_size(record));
    } else if (total_size(record) != 0) {
        bind_slot(converter, slot, record->old); /* it failed, and kept the block */
    } else {
        add_free(converter, slot);
    }
}

/* exec: nothing of the old program is live any more. Its blocks are freed by nobody, as they
 * were. */
static void forget_blocks(struct converter *converter)
{
    memset(converter->map, 0, sizeof converter->map);
    for (size_t i = 0; i < converter->summary.threads; i++)
        converter->moving[i] = NO_SLOT;
}

static void convert_record(struct converter *converter, const struct record *record)
{
    uint32_t number = thread_number(converter, record->thread);
    if (record->kind == RECORD_MOVE_BEGIN) {
        converter->moving[number] = map_take(converter, record->old);
        return;
    }
    if (record->kind == RECORD_NEW_PROGRAM) {
        forget_blocks(converter);
        return;
    }
    switch_thread(converter, number);
    if (record->kind == RECORD_ALLOCATE)
        convert_allocate(converter, record);
    else if (record->kind == RECORD_FREE)
        convert_free(converter, record);
    else if (record->kind == RECORD_MOVE_END)
        convert_move_end(converter, record, number);
}

int record_convert(const struct record_log *log, struct trace *ret_trace,
                   struct record_summary *ret_summary)
{
    struct converter *converter = calloc(1, sizeof *converter);
    if (converter == NULL)
        return ENOMEM;
    converter->trace = ret_trace;
    ret_trace->count = 0;
    uint64_t count = log->taken < log->capacity ? log->taken : log->capacity, i = 0;
    size_t room = ret_trace->capacity - RECORD_CONVERT_SLACK;
    for (; i < count && ret_trace->count < room; i++) {
        if (log->records[i].kind == RECORD_UNFINISHED)
            converter->summary.missed++;
        else
            convert_record(converter, &log->records[i]);
    }
    if (ret_trace->count > room)
        ret_trace->count = room; /* a part of a well-formed trace, from its start, is one */
    converter->summary.missed += log->taken - i;
    *ret_summary = converter->summary;
    free(converter);
    return 0;
}
