/* SPDX-License-Identifier: MIT */
/*
 * Footprint and scaling of a subject: the workloads of workloads/ run one after another, each in
 * fresh processes, and judged (judge.h). Nothing is a finding that was seen once: it must show in
 * every one of three runs, a crash or a hang in two of three. What shows less often is a note, and
 * so is a cost that an allocator may choose to have, such as a realloc that always copies.
 *
 * Used by `mallet growth` and the tests. Uses malloc; serves one thread.
 */
#ifndef GROWTH_GROWTH_H
#define GROWTH_GROWTH_H

#include "adversity/growth/judge.h"
#include "adversity/growth/process.h"
#include "adversity/growth/workload.h"
#include "harness/run/check.h"

enum { ROOM_MAX = 64, GROWTH_ROOM_SLACK = 2 << 20 /* bytes that no row is about */ };

enum growth_outcome {
    GROWTH_CLEAN,
    GROWTH_FINDING,
    /* memory that only time bounds, or many times what was live; what did not reproduce; a cost
     * that the allocator may choose to have */
    GROWTH_NOTE,
    /* the subject lacks a function, or the memory, for this workload; `sentence` says which */
    GROWTH_SKIPPED,
    GROWTH_NOT_RUN, /* the time was over, or each call of the subject takes too much of it */
    GROWTH_OUTCOMES
};
const char *growth_outcome_name(enum growth_outcome outcome);

struct growth_result {
    const struct workload *workload;
    enum growth_outcome outcome;
    enum check check; /* of a finding, or of a note that would be one; CHECK_COUNT: of none */
    bool is_choice;   /* the cost is one that an allocator may choose to have */
    char site[VERDICT_SITE_MAX];
    char sentence[VERDICT_SENTENCE_MAX];
    char output[GROWTH_OUTPUT_MAX]; /* first line that the subject printed before it died, or "" */
    unsigned reproduced, attempts;  /* of a finding or a note */
    int error;                      /* a process could not be started: errno */
    size_t count, size;             /* rounds and 0, or N and the size of blocks */
    struct footprint footprint;     /* WORKLOAD_FOOTPRINT */
    unsigned cost_count;            /* WORKLOAD_SCALING */
    bool has_instructions;
    /* of an operation at N, 2N, …: instructions, or nanoseconds of CPU time */
    double costs[COSTS_MAX];
    bool has_os_calls;
    double os_calls;     /* of an operation: at 4N, or in the worst stretch */
    double moved;        /* WORKLOAD_APPENDS: bytes copied for each byte appended */
    unsigned room_count; /* WORKLOAD_ROOM */
    double bound;        /* that its finding exceeds */
    struct growth_room {
        struct room_row row;
        uint64_t live, resident; /* bytes */
    } room[ROOM_MAX];
};

struct growth_options {
    const struct subject_plan *subject;
    const char *const *workloads; /* names; none: all */
    size_t workload_count;
    bool is_quick;
    size_t size;             /* scaling: only this band; 0: all */
    double bound;            /* room: resident over live at most; 0: anything but a note */
    unsigned settle_seconds; /* time that passes before memory that grew is called lost; 0: 12 */
    void (*collect)(const struct growth_result *result, void *context);
    void (*progress)(const struct workload *workload, size_t size, void *context); /* NULL: none */
    /* NULL: never. Asked before a workload: whether none may begin; and during one: whether to end
     * it. */
    bool (*is_over)(const void *context);
    bool (*is_cancelled)(void);
    void *context;
};

/* Whether scaling is measured with blocks of this size. */
bool growth_has_band(size_t size);

/* Returns 0, or a positive errno when a process could not be started. */
int growth_run(const struct growth_options *options);

#endif
