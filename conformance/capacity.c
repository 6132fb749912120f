/* SPDX-License-Identifier: MIT */
/*
 * Measures how much the subject can give at a time: a job of its own, for the gate, which asks only
 * when a probe was refused memory, and for so much: the largest block, the number of small blocks,
 * and the bytes in all. Answers no clause. What was given so far is in the report at any time: of a
 * subject that takes too long for all of it, no more is known, and none is assumed.
 */
#define PROBE_NO_NAMES
#include "conformance/report.h"

enum { BLOCK_SIZE = 1 << 10, CHUNK_SIZE = 1 << 20 };

static void measure_largest(struct probe_capacity *given, uint64_t asked)
{
    for (uint64_t size = 16; given->largest < asked; size *= 2) {
        void *block = calls.malloc((size_t)size);
        if (block == NULL)
            return;
        given->largest = size;
        calls.free(block);
    }
}

/* What they take stays taken. */
static bool take(struct probe_capacity *given, size_t size)
{
    if (calls.malloc(size) == NULL)
        return false;
    given->bytes += size;
    return true;
}

static void measure_capacity(const struct job *job, void *report, char *const arguments[])
{
    struct probe_capacity *given = &((struct probe_report *)report)->capacity;
    uint64_t largest = strtoull(arguments[0], NULL, 10), blocks = strtoull(arguments[1], NULL, 10),
             bytes = strtoull(arguments[2], NULL, 10);
    (void)job;
    measure_largest(given, largest);
    while (given->blocks < blocks && take(given, BLOCK_SIZE))
        given->blocks++;
    while (given->blocks == blocks && given->bytes < bytes && take(given, CHUNK_SIZE))
        ;
    ((struct probe_report *)report)->outcome = OUTCOME_PASS;
}

/* Beside the registry of probes, whose clauses the gate selects. */
const struct probe capacity_probe = {
    {"capacity", JOB_PROBE, 0, measure_capacity}, "", __FILE__, PLACE_CALLS, NULL};
JOB_REGISTER(capacity_probe, capacity_probe.job);
