/* SPDX-License-Identifier: MIT */
/*
 * A workload: a small function that uses the subject as some programs do, and what it must not
 * cost. Each is a file of workloads/ and registers itself by being there. Within workloads there
 * are no other names for the subject's functions than those of `calls`.
 */
#ifndef GROWTH_WORKLOAD_H
#define GROWTH_WORKLOAD_H

#include "adversity/growth/testlib.h"
#include "harness/job/job.h"

enum workload_kind {
    WORKLOAD_FOOTPRINT, /* rounds after which as much is live as before; memory is sampled */
    /* a round for `count` blocks of `size` bytes; costs are compared at N, 2N, 4N */
    WORKLOAD_SCALING,
    WORKLOAD_OS_CALLS, /* likewise at one N; the stretch with most OS calls counts */
    WORKLOAD_APPENDS,  /* one block of up to `size` bytes; bytes that realloc copies are counted */
    WORKLOAD_ROOM      /* what is resident is compared with what is live, row by row */
};

struct workload {
    struct job job;
    const char *does;
    enum workload_kind kind;
    void (*do_round)(const struct task *task);
    unsigned rounds; /* footprint */
    /* scaling: the smallest and the largest blocks; 0: none, sizes are the workload's own */
    size_t size_min, size_max;
    /* scaling: live at a time; 0: 4 GiB, which nobody writes to */
    size_t bytes_max;
    /* what it shows is a cost that an allocator may choose to have: told as a note */
    bool is_choice;
    const struct room_row *rows; /* room */
    size_t row_count;
};

/* As bytes_max: one block, whatever N is, so that each operation finds the same as the one
 * before. */
#define WORKLOAD_ONE_BLOCK SIZE_MAX

static inline bool workload_has_one_block(const struct workload *workload)
{
    return workload->bytes_max == WORKLOAD_ONE_BLOCK;
}

#define WORKLOAD(workload_name, sentence, ...)                              \
    static void workload_name##_round(const struct task *task);             \
    static const struct workload workload_name##_workload = {               \
        .job = {.name = #workload_name, JOB_WORKLOAD, .run = workload_run}, \
        .does = sentence,                                                   \
        .do_round = workload_name##_round,                                  \
        __VA_ARGS__};                                                       \
    JOB_REGISTER(workload_name, workload_name##_workload.job);              \
    static void workload_name##_round(const struct task *task)

/* Runs the workload that the job is a part of; report: a struct growth_report. */
void workload_run(const struct job *job, void *report, char *const arguments[]);

/* Footprint first, then by name; NULL beyond the last. */
const struct workload *workloads_at(size_t i);
const struct workload *workloads_find(const char *name);

/* ---- a process's own ---- */
/* by the subject's own count; 0: it has none */
uint64_t growth_held(void);

/* Of the testlib, for measure_*.c. */
uint64_t growth_live(void);
void growth_start(void);
struct growth_sample growth_sample(void); /* the highest since the last one */

/* Runs a workload in this process and fills growth_report. settle_seconds: of time that passes
 * after the last round, before another look; 0: none. */
void measure_footprint(const struct workload *workload, unsigned rounds, unsigned settle_seconds);
/* Fills live and resident. */
void measure_room(const struct workload *workload, size_t count, size_t size);
/* is_counting: OS calls, at the price of times that mean nothing. */
void measure_scaling(const struct workload *workload, size_t count, size_t size, bool is_counting);

#endif
