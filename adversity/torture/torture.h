/* SPDX-License-Identifier: MIT */
/*
 * Free-running threads on an allocator: a scenario runs in one process after the other, each with a
 * seed of its own, until the time is over or one of them finds something.
 *
 *   mallet ── spawns ──→ mallet-child: the subject preloaded, one scenario ── may fork ──→ children
 *      ↑                        │
 *      └── report in shared memory: counters, the first failure. Read as untrusted.
 *
 * A hang is judged by processor time: every thread blocked and none used, or much used, without a
 * call returned. Nothing here is clean for good: a result says how much was run.
 */
#ifndef TORTURE_TORTURE_H
#define TORTURE_TORTURE_H

#include "harness/run/check.h"
#include "harness/subject/subject_plan.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    TORTURE_WORKERS_MIN = 6,
    TORTURE_WORKERS_MAX = 32,
    TORTURE_OUTPUT_MAX = 160,
    TORTURE_CALL_MAX = 64
};

struct torture_scenario {
    const char *name, *files, *text;
    unsigned milliseconds; /* of one process */
    unsigned pace_us;      /* between interruptions; 0: it varies */
    unsigned needs;        /* as of struct job */
};
/* NULL beyond the last. */
const struct torture_scenario *torture_scenario_at(size_t i);
const struct torture_scenario *torture_scenario_find(const char *name);

struct torture_plan {
    const struct subject_plan *subject;
    const struct torture_scenario *scenario;
    unsigned workers;
    unsigned milliseconds; /* at least one process is run */
    uint64_t seed;         /* of the first process; the next has the next */
    char muted[128]; /* names of checks that are not asked, and of functions that are not called */
    bool (*is_cancelled)(void); /* asked all the time: whether to end early; NULL: never */
};

struct torture_result {
    const char *lacking; /* a function that the scenario needs and the subject has not: not run */
    bool has_finding;
    struct verdict verdict; /* site: the scenario */
    char call[24];          /* the thread at fault was in it; "none" */
    /* two calls that overlapped on the memory that is wrong; "": not known */
    char overlap[2][TORTURE_CALL_MAX];
    char output[TORTURE_OUTPUT_MAX];
    uint64_t seed; /* of the process that found it */
    bool on_one_processor;
    unsigned pace_us;
    unsigned offers; /* as subject_offers */
    unsigned processes, elapsed_ms;
    uint64_t calls, forks, lives, interruptions;
};

/* Returns 0, ECANCELED, or another positive errno with a sentence when the machinery itself
 * failed. */
int torture_run(const struct torture_plan *plan, struct torture_result *ret_result,
                char error[SUBJECT_ERROR_MAX]);

/* Adds the finding's check to those that are not asked, or the function that ended the process to
 * those that are not called, so that the plan may find others; false: it needs them. */
bool torture_mute(struct torture_plan *plan, const struct torture_result *found);

/* Runs the plan anew `attempts` times from the seed that found something, each for twice the time
 * that finding it took; counts the same checks, and damage of any kind for damage. Returns as
 * torture_run. */
int torture_reproduce(const struct torture_plan *plan, const struct torture_result *found,
                      unsigned attempts, unsigned *ret_times, char error[SUBJECT_ERROR_MAX]);

/* Writes the scenario as a C program that needs nothing else; ENOENT: a part of its text is
 * missing. */
int torture_write_program(FILE *out, const struct torture_plan *plan,
                          const struct torture_result *found);

#endif
