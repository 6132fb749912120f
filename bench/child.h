/* SPDX-License-Identifier: MIT */
/*
 * mallet-bench-child: the program that runs a workload on the malloc that is preloaded over it. It
 * links to the libc alone, so that no other code allocates, and calls malloc by its name, as
 * programs do.
 *
 *   mallet-bench-child launch FOLDER PRELOAD PROGRAM ARGUMENT…   runs and measures a program there
 *   mallet-bench-child KIND SIZE COUNT     runs a workload
 *   mallet-bench-child trace FILE COUNT    replays the ops in FILE so many times
 *
 * A workload has one number of operations, whatever the allocator and however long it takes. It
 * keeps its own tables in mappings of its own, made before the measurement begins.
 */
#ifndef BENCH_CHILD_H
#define BENCH_CHILD_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Every kind of workload, once: its name, and the function run_NAME(size, count). */
#define WORKLOAD_KINDS(KIND) \
    KIND(lifo)               \
    KIND(fifo)               \
    KIND(random)             \
    KIND(batch)              \
    KIND(append)             \
    KIND(calloc)             \
    KIND(fill)               \
    KIND(sawtooth)           \
    KIND(pass)               \
    KIND(larson)

#define KIND(name) void run_##name(size_t size, uint64_t count);
WORKLOAD_KINDS(KIND)
#undef KIND

void run_trace(const char *file, uint64_t count);

/* ---- for workloads ---- */

/* What lies between these two is measured. live_bytes: most requested bytes live at once, where
 * memory is what the workload is about, else 0. */
void measure_begin(void);
void measure_end(uint64_t operations, uint64_t live_bytes);

/* Ends the process with a sentence: the call failed. */
void fail_call(const char *call, size_t size) __attribute__((noreturn, cold));
/* Returns the block, unless it is NULL. */
static inline void *want(void *block, const char *call, size_t size)
{
    if (block == NULL)
        fail_call(call, size);
    return block;
}

/* A block of the subject's whose first bytes are written; at least 8. */
static inline void *take(size_t size)
{
    uint64_t *block = want(malloc(size), "malloc", size);
    *(volatile uint64_t *)block = size;
    return block;
}
/* The same, with a byte of every page written. */
void *take_whole(size_t size);

/* A zeroed table, for the life of the process. */
void *map_table(size_t count, size_t entry_size);
/* Ends the process: "mallet-bench-child: WHAT". */
void fail(const char *what) __attribute__((noreturn));

#endif
