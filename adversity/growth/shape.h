/* SPDX-License-Identifier: MIT */
/*
 * A shape: a small function that uses the subject as some programs do, and what it must not cost.
 * Each is a file of shapes/ and registers itself by being there. Within shapes there are no other
 * names for the subject's functions than those of `calls`.
 */
#ifndef GROWTH_SHAPE_H
#define GROWTH_SHAPE_H

#include "adversity/growth/kit.h"
#include "harness/job/job.h"

enum shape_kind {
    SHAPE_FOOTPRINT, /* rounds after which as much is live as before; memory is sampled */
    /* a round for `count` blocks of `size` bytes; costs are compared at N, 2N, 4N */
    SHAPE_SCALING,
    SHAPE_OS_CALLS /* likewise at one N; the stretch with most OS calls counts */
};

struct shape {
    struct job job;
    const char *does;
    enum shape_kind kind;
    void (*do_round)(const struct task *task);
    unsigned rounds;  /* footprint */
    size_t size_max;  /* scaling: the largest blocks; 0: none, sizes are the shape's own */
    size_t bytes_max; /* scaling: live at a time; 0: 4 GiB, which nobody writes to */
};

#define NEEDS(function) (1u << SUBJECT_##function)

#define SHAPE(shape_name, sentence, ...)                              \
    static void shape_name##_round(const struct task *task);          \
    static const struct shape shape_name##_shape = {                  \
        .job = {.name = #shape_name, JOB_WORKLOAD, .run = shape_run}, \
        .does = sentence,                                             \
        .do_round = shape_name##_round,                               \
        __VA_ARGS__};                                                 \
    JOB_REGISTER(shape_name, shape_name##_shape.job);                 \
    static void shape_name##_round(const struct task *task)

/* Runs the shape that the job is a part of; report: a struct growth_report. */
void shape_run(const struct job *job, void *report, char *const arguments[]);

/* Footprint first, then by name; NULL beyond the last. */
const struct shape *shapes_at(size_t i);
const struct shape *shapes_find(const char *name);

/* ---- a process's own ---- */
/* by the subject's own count; 0: it has none */
uint64_t kit_held(void);

/* Of the kit, for measure_*.c. */
void kit_start(void);
struct growth_sample kit_sample(void); /* the highest since the last one */

/* Runs a shape in this process and fills kit_report. settle_seconds: of time that passes after the
 * last round, before another look; 0: none. */
void measure_footprint(const struct shape *shape, unsigned rounds, unsigned settle_seconds);
/* is_counting: OS calls, at the price of times that mean nothing. */
void measure_scaling(const struct shape *shape, size_t count, size_t size, bool is_counting);

#endif
