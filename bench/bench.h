/* SPDX-License-Identifier: MIT */
/*
 * A bench: workloads × subjects × repeats, each run in a process of its own with the subject
 * preloaded. Runs are interleaved: a repeat of a workload runs on every subject, in an order that
 * rotates, before anything else runs, so that a change of the machine's speed hits all of them.
 *
 *   bench_init → bench_add_subject, bench_add_workload … → bench_run → the reports → bench_done
 *
 * Subject 0 is the reference, glibc; subject 1 is the control: the same once more (statistics.h).
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "bench/workloads.h"
#include "harness/subject/subject_plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BENCH_SUBJECTS_MAX = 18,
    BENCH_REPEATS_MIN = 5,
    BENCH_REPEATS_MAX = 99,
    BENCH_REFERENCE = 0, /* indices of subjects */
    BENCH_CONTROL = 1,
    BENCH_FAILURE_MAX = 200
};

/* What a run costs. */
enum bench_cost {
    BENCH_CPU,    /* nanoseconds of processor time: of the workload, or of the whole program */
    BENCH_RSS,    /* bytes: peak resident memory of the process */
    BENCH_FAULTS, /* page faults of the process */
    BENCH_COSTS
};

struct bench_subject {
    char name[80];
    struct subject_plan plan; /* in a process of its own */
};

/* What tools count in runs of their own, which are not timed (counters.h). */
enum bench_counter {
    BENCH_INSTRUCTIONS, /* of one operation: a pair, a realloc, an op of a trace */
    BENCH_OS_CALLS,     /* for memory, of a whole run */
    BENCH_COUNTERS
};

struct bench_count {
    bool is_known;
    double number;
    char failure[BENCH_FAILURE_MAX]; /* "": none */
};

/* All runs of one workload on one subject. */
struct bench_cell {
    unsigned runs; /* that ended well */
    double samples[BENCH_COSTS][BENCH_REPEATS_MAX];
    struct bench_count counts[BENCH_COUNTERS];
    uint64_t operations, live_bytes; /* of one run */
    char failure[BENCH_FAILURE_MAX]; /* of the run that failed; it was the last; "": none */
};

struct bench {
    struct bench_subject subjects[BENCH_SUBJECTS_MAX];
    size_t subject_count;
    struct bench_workload *workloads;
    size_t workload_count;
    struct bench_cell *cells; /* workload_count × subject_count */
    bool wants_count[BENCH_COUNTERS];
    unsigned repeats, scale; /* scale: percent of the usual counts */
    char folder[PATH_MAX];   /* temporary: inputs of programs, ops of traces */
    char child[PATH_MAX];
    uint64_t done, minimum; /* runs */
    double load;            /* average at the start */
    bool (*is_cancelled)(void);
    /* told before each run; NULL: nobody asks */
    void (*report)(const struct bench *bench, const struct bench_workload *workload);
};

/* Makes the folder and its files. Returns 0, or a positive errno with one sentence in `error`. */
int bench_init(struct bench *ret_bench, char error[SUBJECT_ERROR_MAX]);
/* Ends all: memory, and the folder with its files. */
void bench_done(struct bench *bench);

/* typed: as subject_resolve takes it. The subject must be a shared object, anvil or glibc; a run is
 * made to see that malloc comes from there. Returns 0, or a positive errno with one sentence. */
int bench_add_subject(struct bench *bench, const char *typed, char error[SUBJECT_ERROR_MAX]);
/* Copies it. Returns 0 or ENOMEM. */
int bench_add_workload(struct bench *bench, const struct bench_workload *workload);

/* Runs everything, or until is_cancelled. Returns 0, or a positive errno with one sentence for a
 * failure that is not the subjects'. */
int bench_run(struct bench *bench, char error[SUBJECT_ERROR_MAX]);

/* ---- for the parts of a bench ---- */
struct bench_cell *bench_cell_at(const struct bench *bench, size_t workload, size_t subject);
/* What a run of the workload is asked for: its count, scaled. */
uint64_t bench_scaled_count(const struct bench *bench, const struct bench_workload *workload);
bool bench_is_cancelled(const struct bench *bench);

#endif
