/* SPDX-License-Identifier: MIT */
/*
 * The places where threads meet, by address, and which of them matter. A switch right before a step at a place that one thread uses alone
 * is worth nothing: the same switch before its next shared step gives the same execution. Which places are shared is learned while
 * executions run, and kept in the record for the next ones.
 */
#include "schedule.h"

enum { PLACES_MAX = 16384 };

static struct place places[PLACES_MAX];
static uint32_t place_count;

static uint32_t hash(uintptr_t address)
{
    return (uint32_t)((uint64_t)address * 0x9e3779b97f4a7c15u >> 40);
}

struct place *place_of(const volatile void *pointer)
{
    uintptr_t address = (uintptr_t)pointer;
    uint32_t slot = hash(address) % PLACES_MAX;
    while (places[slot].address != 0 && places[slot].address != address)
        slot = (slot + 1) % PLACES_MAX;
    if (places[slot].address == 0) {
        if (place_count++ == PLACES_MAX / 2)
            schedule_fail(CHECK_PROGRESS, "scheduler", "more than %d places to meet at", PLACES_MAX / 2);
        places[slot].address = address;
    }
    return &places[slot];
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
