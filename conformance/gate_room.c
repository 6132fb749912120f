/* SPDX-License-Identifier: MIT */
/*
 * Whether a subject that refused memory had any left: how much it can give is measured when a probe
 * was refused something, only as far as that probe's calls need it, and again when a later one
 * needs more. To find the end of a slow subject's memory would take the time of all other probes.
 */
#include "conformance/gate_internal.h"

/* A heap has its own overhead, and blocks that were given before may be in use. */
enum { LARGEST_MARGIN = 2, MARGIN = 4 };

/* More than any probe holds at a time; a subject that gives so much has no limit. */
static const struct probe_capacity most = {
    .largest = 1 << 30, .blocks = 128 << 10, .bytes = UINT64_C(1152) << 20};

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static struct probe_capacity needs_of(const struct probe_calls *made)
{
    uint64_t size = made->refused_size, bytes = made->refused_bytes + size;
    return (struct probe_capacity){.largest = smaller(size * LARGEST_MARGIN, most.largest),
                                   .blocks = smaller(made->refused_blocks * MARGIN, most.blocks),
                                   .bytes = smaller(bytes * MARGIN, most.bytes)};
}

static bool covers(const struct probe_capacity *given, const struct probe_capacity *needs)
{
    return given->largest >= needs->largest && given->blocks >= needs->blocks &&
           given->bytes >= needs->bytes;
}

/* Whether the end of what the subject has is known, and lies before what is needed. */
static bool is_known_to_lack(const struct room *room, const struct probe_capacity *needs)
{
    const struct probe_capacity *given = &room->given, *asked = &room->asked;
    return (given->largest < asked->largest && given->largest < needs->largest) ||
           (given->blocks < asked->blocks && given->blocks < needs->blocks) ||
           (given->bytes < asked->bytes && given->bytes < needs->bytes);
}

static bool has_room(struct room *room, const struct gate_options *options,
                     const struct probe_capacity *needs)
{
    if (covers(&room->given, needs) || is_known_to_lack(room, needs))
        return covers(&room->given, needs);
    room->asked = (struct probe_capacity){.largest = larger(room->asked.largest, needs->largest),
                                          .blocks = larger(room->asked.blocks, needs->blocks),
                                          .bytes = larger(room->asked.bytes, needs->bytes)};
    room->given = gate_measure_capacity(options, &room->asked);
    return covers(&room->given, needs);
}

bool room_is_short(struct room *room, const struct gate_options *options,
                   const struct probe_calls *made)
{
    const struct probe_capacity needs = needs_of(made);
    return options->capacity != 0 ? needs.bytes > options->capacity
                                  : !has_room(room, options, &needs);
}

bool room_is_limited(struct room *room, const struct gate_options *options)
{
    const struct probe_capacity all = {.blocks = most.blocks, .bytes = most.bytes};
    return options->capacity != 0 || !has_room(room, options, &all);
}
