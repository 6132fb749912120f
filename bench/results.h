/* SPDX-License-Identifier: MIT */
/* What the samples of a bench say: medians, ratios to the reference, and which of them are ties. */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include "bench/bench.h"

/* Costs that are compared; page faults are only reported. */
enum { RESULTS_COMPARED = BENCH_RSS + 1 };

enum results_verdict {
    RESULTS_NONE,  /* no ratio */
    RESULTS_LESS,  /* than the reference, beyond the interval */
    RESULTS_MORE,  /* likewise */
    RESULTS_TIE,   /* within the interval */
    RESULTS_NOISY, /* within an interval that is too wide to call it a tie */
};
/* "less", "more", "tie", "too noisy"; NULL for RESULTS_NONE. */
const char *results_verdict_name(enum results_verdict verdict);

/* One cost of one cell. */
struct results_value {
    double median, low, high; /* of the samples */
    double ratio;             /* to the reference; 0: none */
    enum results_verdict verdict;
};

struct results_row {
    bool counts; /* it was not skipped, and no subject lacks a run but by its own failure */
    double interval[RESULTS_COMPARED]; /* factor, see statistics.h */
    struct results_value values[BENCH_SUBJECTS_MAX][BENCH_COSTS];
};

struct results {
    struct results_row *rows; /* one for each workload */
    size_t counted;           /* rows that count */
    /* Over the rows that count; 0: the subject failed in one of them, so that its mean would be of
     * other workloads than those of the others. */
    double geomean[BENCH_SUBJECTS_MAX][RESULTS_COMPARED];
    enum results_verdict verdict[BENCH_SUBJECTS_MAX][RESULTS_COMPARED];
    double interval[RESULTS_COMPARED];          /* of geometric means */
    unsigned failed[BENCH_SUBJECTS_MAX], noisy; /* cells; rows whose CPU is too noisy */
    bool is_too_noisy;                          /* to compare geometric means of CPU */
};

/* A subject is behind in a row if it costs more than so many times what the best other one does. */
#define RESULTS_BEHIND 1.3
bool results_is_behind(const struct bench *bench, const struct results *results, size_t workload,
                       size_t subject, enum bench_cost cost);

/* Returns 0 or ENOMEM. */
int results_compute(struct results *ret_results, const struct bench *bench);
void results_done(struct results *results);

#endif
