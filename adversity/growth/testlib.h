/* SPDX-License-Identifier: MIT */
/*
 * What workloads are written with. A workload calls the subject as calls.malloc(…), or through
 * growth_take and friends, which also write to every page and count what is live; it has no other
 * heap. Working memory is static or growth_slots. Exported programs hold this file and a workload
 * as they are.
 */
#ifndef GROWTH_TESTLIB_H
#define GROWTH_TESTLIB_H

#include "adversity/growth/report.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What a workload is asked for. */
struct task {
    unsigned round; /* 0, 1, …: a workload runs once each round, in one process */
    size_t count;   /* scaling: so many blocks; room: what is in the row */
    size_t size;    /* scaling: of about so many bytes; likewise */
};

/* Room: the sizes of one process. */
struct room_row {
    size_t size;
    size_t count; /* the size after a realloc; 0: there is none */
};

/* Where a process's findings go. */
extern struct growth_report *growth_report;

/* ---- footprint: blocks that are used and counted. A refusal ends the process with a sentence.
 * ---- */
void *growth_take(size_t size);
void *growth_take_zeroed(size_t size);
void *growth_take_aligned(size_t alignment, size_t size);
void *growth_resize(void *block, size_t old_size, size_t size);
void growth_give(void *block, size_t size);
/* The same, and notes whether bytes were copied. */
void *growth_append(void *block, size_t old_size, size_t size);
/* Reads what the process holds now. Every round is followed by one; for the peak within it. */
void growth_observe(void);

/* ---- scaling: what runs between these two is measured. Several stretches in one round add up.
 * ---- */
void growth_begin(void);
void growth_end(size_t operations);

/* ---- both ---- */
/* Memory for `count` pointers, all NULL; for the life of the process. */
void **growth_slots(size_t count);
/* Ends the process if a block is NULL; returns it. */
void *growth_want(void *block, const char *call, size_t size);
/* The same numbers in each round that begins with the same state. */
uint32_t growth_random(uint32_t *state);
/* Evenly from low to high, in powers of two: as many between 16 and 32 as between 1024 and 2048. */
size_t growth_random_size(uint32_t *state, size_t low, size_t high);
void growth_shuffle(void **slots, size_t count);

#endif
