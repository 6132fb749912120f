/* SPDX-License-Identifier: MIT */
/*
 * What shapes are written with. A shape calls the subject as calls.malloc(…), or through kit_take
 * and friends, which also write to every page and count what is live; it has no other heap. Working
 * memory is static or kit_slots. Exported programs hold this file and a shape as they are.
 */
#ifndef GROWTH_KIT_H
#define GROWTH_KIT_H

#include "adversity/growth/report.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What a shape is asked for. */
struct task {
    unsigned round; /* 0, 1, …: a shape runs once each round, in one process */
    size_t count;   /* scaling: so many blocks */
    size_t size;    /* scaling: of about so many bytes */
};

/* Where a process's findings go. */
extern struct growth_report *kit_report;

/* ---- footprint: blocks that are used and counted. A refusal ends the process with a sentence.
 * ---- */
void *kit_take(size_t size);
void *kit_take_zeroed(size_t size);
void *kit_take_aligned(size_t alignment, size_t size);
void *kit_resize(void *block, size_t old_size, size_t size);
void kit_give(void *block, size_t size);
/* Reads what the process holds now. Every round is followed by one; for the peak within it. */
void kit_observe(void);

/* ---- scaling: what runs between these two is measured. Several stretches in one round add up.
 * ---- */
void kit_begin(void);
void kit_end(size_t operations);

/* ---- both ---- */
/* Memory for `count` pointers, all NULL; for the life of the process. */
void **kit_slots(size_t count);
/* Ends the process if a block is NULL; returns it. */
void *kit_want(void *block, const char *call, size_t size);
/* The same numbers in each round that begins with the same state. */
uint32_t kit_random(uint32_t *state);
/* Evenly from low to high, in powers of two: as many between 16 and 32 as between 1024 and 2048. */
size_t kit_random_size(uint32_t *state, size_t low, size_t high);
void kit_shuffle(void **slots, size_t count);

#endif
