/* SPDX-License-Identifier: MIT */
/*
 * Shared memory between an explorer and an execution: the request, and the result. An execution is
 * a forked process; the record survives if it crashes.
 *
 * A schedule is the list of decisions that differ from the default: go on with the running thread;
 * when it cannot run, or has spun for long, the next one that can. "12:2,31:1" reads: before step
 * 12 thread 2 takes over, before step 31 thread 1.
 */
#ifndef INTERLEAVE_RECORD_H
#define INTERLEAVE_RECORD_H

#include "harness/run/check.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    DECISIONS_MAX = 512,
    BRANCHES_MAX = 16384,
    EVENTS_MAX = 16384,
    SHARED_PLACES_MAX = 4096, /* a power of two */
    STEPS_MAX = 20000,        /* an execution that takes more makes no progress */
    SCHEDULE_TEXT_MAX = 4096,
    OUTPUT_MAX = 256
};

struct decision {
    uint32_t step;
    uint32_t thread;
};

struct schedule {
    uint32_t count;
    struct decision decisions[DECISIONS_MAX];
};

/* A step at which another thread could have been chosen, and it would matter. */
struct branch {
    uint32_t step;
    uint8_t runnable; /* bit per thread */
    uint8_t fallback; /* whom the default chooses */
    uint8_t chosen;
    bool is_free; /* the running thread cannot, or need not, go on: no pre-emption */
};

/* One step as people read it. */
struct event {
    uint32_t step;
    uint8_t thread;
    bool is_shared; /* at a place that several threads use */
    bool is_in_child;
    const char *what; /* a literal: the same in all processes */
    uint64_t place;
    uint64_t code; /* return address */
};

enum strategy { FOLLOW, PRIORITIES };

struct record {
    /* in */
    enum strategy strategy;
    struct schedule follow; /* FOLLOW: these decisions, then the default */
    uint64_t seed;          /* PRIORITIES */
    uint32_t change_points, expected_branches;
    bool wants_events;
    /* across executions: places that more than one thread uses, one of them writing; 0: empty */
    uint64_t shared_places[SHARED_PLACES_MAX];
    uint32_t shared_place_count;
    /* out */
    bool is_complete, has_verdict;
    uint32_t steps, preemptions, current; /* current: the thread that ran last */
    uint32_t branch_count, event_count;
    struct branch branches[BRANCHES_MAX];
    struct schedule taken;
    struct verdict verdict; /* op: the step */
    uint64_t codes[2];      /* where: for a race the later and the earlier access; 0: none */
    struct event events[EVENTS_MAX];
    char output[OUTPUT_MAX]; /* what the code wrote to stderr */
};

#endif
