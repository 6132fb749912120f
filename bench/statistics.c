/* SPDX-License-Identifier: MIT */
/* The draws come from a fixed seed: the same samples always have the same interval. */
#include "bench/statistics.h"

#include "harness/base/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWS = 1000, DRAWS_WITHIN = 950 };
#define ROUNDING 1e-12 /* of log and exp: what was really shown must lie within */

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double statistics_median(const double *samples, size_t count)
{
    double sorted[STATISTICS_SAMPLES_MAX];
    memcpy(sorted, samples, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare);
    return count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static double draw_median(const struct control_pair *pair, struct random *random)
{
    double drawn[STATISTICS_SAMPLES_MAX];
    for (size_t i = 0; i < pair->count; i++) {
        size_t at = random_below(random, 2 * pair->count);
        drawn[i] = at < pair->count ? pair->reference[at] : pair->control[at - pair->count];
    }
    return statistics_median(drawn, pair->count);
}

static double observed(const struct control_pair *pair)
{
    return log(statistics_median(pair->control, pair->count) /
               statistics_median(pair->reference, pair->count));
}

double statistics_geomean_interval(const struct control_pair *pairs, size_t count)
{
    struct random random = {.state = 1};
    double draws[DRAWS] = {0}, shown = 0;
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (pairs[i].count == 0)
            continue;
        used++;
        shown += observed(&pairs[i]);
        for (size_t draw = 0; draw < DRAWS; draw++)
            draws[draw] += log(draw_median(&pairs[i], &random) / draw_median(&pairs[i], &random));
    }
    if (used == 0)
        return 1;
    for (size_t draw = 0; draw < DRAWS; draw++)
        draws[draw] = fabs(draws[draw]);
    qsort(draws, DRAWS, sizeof *draws, compare);
    return exp(fmax(draws[DRAWS_WITHIN], fabs(shown)) / (double)used + ROUNDING);
}

double statistics_interval(const struct control_pair *pair)
{
    return statistics_geomean_interval(pair, 1);
}
