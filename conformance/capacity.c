/* SPDX-License-Identifier: MIT */
/*
 * Measures how much the subject can give at a time: a job of its own, for the gate, which asks only
 * when a probe was refused memory. Answers no clause.
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

static void measure_capacity(const struct job *job, void *report, char *const arguments[])
{
    struct probe_capacity *capacity = &((struct probe_report *)report)->capacity;
    size_t blocks = 0, chunks = 0;
    unsigned log = 4;
    (void)job, (void)arguments;
    for (void *block; log <= LARGEST_LOG && (block = calls.malloc((size_t)1 << log)) != NULL; log++)
        calls.free(block);
    capacity->largest = log <= LARGEST_LOG ? (uint64_t)1 << (log - 1) : 0;
    while (blocks < BLOCKS_MAX && calls.malloc(BLOCK_SIZE) != NULL)
        blocks++;
    capacity->blocks = blocks < BLOCKS_MAX ? blocks : 0;
    while (blocks == BLOCKS_MAX && chunks < CHUNKS_MAX && calls.malloc(CHUNK_SIZE) != NULL)
        chunks++;
    capacity->bytes =
        chunks < CHUNKS_MAX ? (uint64_t)blocks * BLOCK_SIZE + (uint64_t)chunks * CHUNK_SIZE : 0;
    ((struct probe_report *)report)->outcome = OUTCOME_PASS;
}

/* Beside the registry of probes, whose clauses the gate selects. */
const struct probe capacity_probe = {
    {"capacity", JOB_PROBE, 0, measure_capacity}, "", __FILE__, PLACE_CALLS, NULL};
JOB_REGISTER(capacity_probe, capacity_probe.job);
