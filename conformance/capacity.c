/* SPDX-License-Identifier: MIT */
/*
 * Measures how much the subject can give at a time: a job of its own, for the gate, which asks only
 * when a probe was refused memory. Answers no clause. What it has given so far is in the report at
 * any time: of a subject that takes too long for all of it, no more is known, and none is assumed.
 */
#define PROBE_NO_NAMES
#include "conformance/report.h"

enum {
    LARGEST_LOG = 30,
    /* more than any probe holds at a time */
    BLOCKS_MAX = 128 << 10,
    BLOCK_SIZE = 1 << 10,
    CHUNKS_MAX = 1024,
    CHUNK_SIZE = 1 << 20
};

static uint64_t measure_largest(struct probe_capacity *capacity)
{
    for (unsigned log = 4; log <= LARGEST_LOG; log++) {
        void *block = calls.malloc((size_t)1 << log);
        if (block == NULL)
            return capacity->largest;
        capacity->largest = (uint64_t)1 << log;
        calls.free(block);
    }
    return 0;
}

/* Whether there is an end to them; what they took stays taken. */
static bool take_blocks(struct probe_capacity *capacity)
{
    for (unsigned i = 0; i < BLOCKS_MAX; i++) {
        if (calls.malloc(BLOCK_SIZE) == NULL)
            return true;
        capacity->blocks++;
        capacity->bytes += BLOCK_SIZE;
    }
    return false;
}

static bool take_chunks(struct probe_capacity *capacity)
{
    for (unsigned i = 0; i < CHUNKS_MAX; i++) {
        if (calls.malloc(CHUNK_SIZE) == NULL)
            return true;
        capacity->bytes += CHUNK_SIZE;
    }
    return false;
}

static void measure_capacity(const struct job *job, void *report, char *const arguments[])
{
    struct probe_capacity *capacity = &((struct probe_report *)report)->capacity;
    (void)job, (void)arguments;
    capacity->largest = measure_largest(capacity);
    if (!take_blocks(capacity)) {
        capacity->blocks = 0;
        if (!take_chunks(capacity))
            capacity->bytes = 0;
    }
    ((struct probe_report *)report)->outcome = OUTCOME_PASS;
}

/* Beside the registry of probes, whose clauses the gate selects. */
const struct probe capacity_probe = {
    {"capacity", JOB_PROBE, 0, measure_capacity}, "", __FILE__, PLACE_CALLS, NULL};
JOB_REGISTER(capacity_probe, capacity_probe.job);
