/* SPDX-License-Identifier: MIT */
/*
 * Which differences between two subjects mean something. The control of a run is its reference once
 * more under another name, so the two have the same cost; what their samples differ by is the
 * machine's doing. From the samples of both, many pairs of medians are drawn at random: the
 * interval is the factor that 95 in 100 ratios of such pairs stay within, and never less than the
 * ratio that reference and control really showed. A ratio within the interval is a tie.
 */
#ifndef BENCH_STATISTICS_H
#define BENCH_STATISTICS_H

#include <stddef.h>

enum { STATISTICS_SAMPLES_MAX = 99 };

/* At least one sample; their order does not matter. */
double statistics_median(const double *samples, size_t count);

/* One workload: what the reference and the control measured, count samples each. */
struct control_pair {
    double reference[STATISTICS_SAMPLES_MAX], control[STATISTICS_SAMPLES_MAX];
    size_t count; /* 0: skipped */
};

/* The interval of one workload, and of the geometric mean over all of them, as a factor of at least
 * 1: 1.05 means that ratios from 1/1.05 to 1.05 are ties. 1 without samples. */
double statistics_interval(const struct control_pair *pair);
double statistics_geomean_interval(const struct control_pair *pairs, size_t count);

#endif
