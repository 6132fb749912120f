/* SPDX-License-Identifier: MIT */
#include "bench/results.h"

#include "bench/statistics.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Wider intervals than these make no tie: a difference that matters would not show. */
#define CELL_TOO_WIDE    1.20
#define GEOMEAN_TOO_WIDE 1.05

const char *results_verdict_name(enum results_verdict verdict)
{
    static const char *const names[] = {NULL, "less", "more", "tie", "too noisy"};
    return names[verdict];
}

static enum results_verdict judge(double ratio, double interval, double too_wide)
{
    if (ratio <= 0)
        return RESULTS_NONE;
    if (ratio > interval)
        return RESULTS_MORE;
    if (ratio < 1 / interval)
        return RESULTS_LESS;
    return interval > too_wide ? RESULTS_NOISY : RESULTS_TIE;
}

static bool has_failed(const struct bench_cell *cell)
{
    return cell->failure[0] != '\0';
}

static bool row_counts(const struct bench *bench, size_t w)
{
    for (size_t s = 0; s < bench->subject_count; s++) {
        const struct bench_cell *cell = bench_cell_at(bench, w, s);
        bool may_fail = s != BENCH_REFERENCE && s != BENCH_CONTROL;
        if (has_failed(cell) ? !may_fail : cell->runs == 0)
            return false;
    }
    return true;
}

static void summarize(const struct bench_cell *cell, enum bench_cost cost,
                      struct results_value *value)
{
    const double *samples = cell->samples[cost];
    value->median = statistics_median(samples, cell->runs);
    value->low = value->high = samples[0];
    for (unsigned i = 1; i < cell->runs; i++) {
        value->low = fmin(value->low, samples[i]);
        value->high = fmax(value->high, samples[i]);
    }
}

static void summarize_row(const struct bench *bench, size_t w, struct results_row *row)
{
    for (size_t s = 0; s < bench->subject_count; s++) {
        const struct bench_cell *cell = bench_cell_at(bench, w, s);
        for (unsigned cost = 0; cost < BENCH_COSTS && cell->runs > 0; cost++)
            summarize(cell, (enum bench_cost)cost, &row->values[s][cost]);
    }
}

static void compare_row(const struct bench *bench, size_t w, struct results_row *row)
{
    for (size_t s = 0; s < bench->subject_count; s++)
        for (unsigned cost = 0; cost < RESULTS_COMPARED; cost++) {
            struct results_value *value = &row->values[s][cost];
            if (has_failed(bench_cell_at(bench, w, s)))
                continue;
            value->ratio = value->median / row->values[BENCH_REFERENCE][cost].median;
            value->verdict = judge(value->ratio, row->interval[cost], CELL_TOO_WIDE);
        }
}

/* Of one cost, for each workload; an interrupted run has as many of both as of the one with
 * less. */
static void fill_pairs(const struct bench *bench, const struct results *results,
                       enum bench_cost cost, struct control_pair *pairs)
{
    for (size_t w = 0; w < bench->workload_count; w++) {
        const struct bench_cell *reference = bench_cell_at(bench, w, BENCH_REFERENCE);
        const struct bench_cell *control = bench_cell_at(bench, w, BENCH_CONTROL);
        unsigned runs = reference->runs < control->runs ? reference->runs : control->runs;
        pairs[w].count = results->rows[w].counts ? runs : 0;
        memcpy(pairs[w].reference, reference->samples[cost], runs * sizeof(double));
        memcpy(pairs[w].control, control->samples[cost], runs * sizeof(double));
    }
}

static int compute_intervals(const struct bench *bench, struct results *results)
{
    struct control_pair *pairs = calloc(bench->workload_count + 1, sizeof *pairs);
    if (pairs == NULL)
        return ENOMEM;
    for (unsigned cost = 0; cost < RESULTS_COMPARED; cost++) {
        fill_pairs(bench, results, (enum bench_cost)cost, pairs);
        results->interval[cost] = statistics_geomean_interval(pairs, bench->workload_count);
        for (size_t w = 0; w < bench->workload_count; w++)
            results->rows[w].interval[cost] = statistics_interval(&pairs[w]);
    }
    free(pairs);
    return 0;
}

static double geomean(const struct bench *bench, const struct results *results, size_t s,
                      unsigned cost)
{
    double sum = 0;
    for (size_t w = 0; w < bench->workload_count; w++)
        if (results->rows[w].counts)
            sum += log(results->rows[w].values[s][cost].ratio);
    return exp(sum / (double)results->counted);
}

static void compare_subject(const struct bench *bench, struct results *results, size_t s)
{
    for (size_t w = 0; w < bench->workload_count; w++)
        results->failed[s] += has_failed(bench_cell_at(bench, w, s));
    for (unsigned cost = 0; cost < RESULTS_COMPARED; cost++) {
        bool has_mean = results->failed[s] == 0 && results->counted > 0;
        results->geomean[s][cost] = has_mean ? geomean(bench, results, s, cost) : 0;
        results->verdict[s][cost] =
            judge(results->geomean[s][cost], results->interval[cost], GEOMEAN_TOO_WIDE);
    }
}

int results_compute(struct results *ret_results, const struct bench *bench)
{
    struct results *results = ret_results;
    *results = (struct results){0};
    results->rows = calloc(bench->workload_count + 1, sizeof *results->rows);
    if (results->rows == NULL)
        return ENOMEM;
    for (size_t w = 0; w < bench->workload_count; w++) {
        results->rows[w].counts = row_counts(bench, w);
        results->counted += results->rows[w].counts;
        summarize_row(bench, w, &results->rows[w]);
    }
    int result = compute_intervals(bench, results);
    for (size_t w = 0; w < bench->workload_count && result == 0; w++) {
        results->noisy += results->rows[w].interval[BENCH_CPU] > CELL_TOO_WIDE;
        if (results->rows[w].counts)
            compare_row(bench, w, &results->rows[w]);
    }
    for (size_t s = 0; s < bench->subject_count && result == 0; s++)
        compare_subject(bench, results, s);
    results->is_too_noisy = results->interval[BENCH_CPU] > GEOMEAN_TOO_WIDE;
    if (result != 0)
        results_done(results);
    return result;
}

bool results_is_behind(const struct bench *bench, const struct results *results, size_t workload,
                       size_t subject, enum bench_cost cost)
{
    const struct results_row *row = &results->rows[workload];
    double best = INFINITY;
    for (size_t s = 0; s < bench->subject_count; s++)
        if (s != subject && s != BENCH_CONTROL && row->values[s][cost].ratio > 0)
            best = fmin(best, row->values[s][cost].ratio);
    return row->values[subject][cost].ratio > RESULTS_BEHIND * best;
}

void results_done(struct results *results)
{
    free(results->rows);
    results->rows = NULL;
}
