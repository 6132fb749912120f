/* SPDX-License-Identifier: MIT */
/*
 * The places where threads meet, by address, and which of them matter. A switch right before a step
 * at a place that only one thread uses is useless: the same switch before its next shared
 * step gives the same execution. Which places are shared is learned while executions run, and kept
 * in the record for the next ones.
 */
#include "schedule.h"

enum { PLACES_MAX = 4096, SLOTS = 2 * PLACES_MAX };

/* Dense, and found through small numbers: an execution pays for every page it touches. */
static struct place places[PLACES_MAX + 1]; /* 0: none */
static uint16_t slots[SLOTS];
static uint16_t place_count;

static uint32_t hash(uintptr_t address)
{
    return (uint32_t)((uint64_t)address * 0x9e3779b97f4a7c15u >> 40);
}

struct place *place_of(const volatile void *pointer)
{
    uintptr_t address = (uintptr_t)pointer;
    uint32_t slot = hash(address) % SLOTS;
    while (slots[slot] != 0 && places[slots[slot]].address != address)
        slot = (slot + 1) % SLOTS;
    if (slots[slot] == 0) {
        if (place_count == PLACES_MAX)
            schedule_fail(CHECK_PROGRESS, "scheduler", "more than %d places to meet at",
                          PLACES_MAX);
        slots[slot] = ++place_count;
        places[place_count].address = address;
    }
    return &places[slots[slot]];
}

static bool is_known(struct record *record, uintptr_t address, bool add)
{
    uint32_t slot = hash(address) % SHARED_PLACES_MAX;
    while (record->shared_places[slot] != 0 && record->shared_places[slot] != address)
        slot = (slot + 1) % SHARED_PLACES_MAX;
    if (record->shared_places[slot] == address)
        return true;
    if (add && record->shared_place_count < SHARED_PLACES_MAX / 2) {
        record->shared_places[slot] = address;
        record->shared_place_count++;
    }
    return add;
}

bool place_use(struct place *place, bool is_write, struct record *record)
{
    unsigned self = schedule_self();
    if (self == 0)
        return false; /* nobody else runs */
    place->readers |= (uint8_t)(1u << self);
    place->writers |= (uint8_t)((unsigned)is_write << self);
    bool is_shared = place->writers != 0 && __builtin_popcount(place->readers) > 1;
    return is_known(record, place->address, is_shared);
}
