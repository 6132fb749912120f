/* SPDX-License-Identifier: MIT */
#include "adversity/growth/judge.h"

/* What caches for each thread, arenas and unused tails may take; found by measuring shipped
 * allocators, see README.md. */
#define BLOAT_BYTES  (UINT64_C(48) << 20)
#define BLOAT_FACTOR 4
#define GROWTH_BYTES (UINT64_C(2) << 20)
/* Descriptors of what was held once may stay for good, and pages used last: jemalloc 5.3.0 has 49
 * of 522 MiB after 12 seconds. */
#define KEPT_DIVISOR 16

enum { QUARTERS_STEADY_PERCENT = 60, QUARTERS_SUSPICIOUS_PERCENT = 40 };
#define DOUBLING 1.6

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

struct footprint footprint_of(const struct growth_report *report)
{
    struct footprint footprint = {.peak_live = report->peak_live,
                                  .freed = {report->frees, report->freed},
                                  .has_new_sizes = report->has_new_sizes != 0};
    uint32_t count = report->sample_count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t quarter = i * 4 / count;
        footprint.quarters[quarter] =
            larger(footprint.quarters[quarter], report->samples[i].resident);
        footprint.held_quarters[quarter] =
            larger(footprint.held_quarters[quarter], report->samples[i].held);
        footprint.highest = larger(footprint.highest, report->samples[i].resident);
    }
    return footprint;
}

static bool grows_on(const struct footprint *footprint, const uint64_t quarters[4],
                     unsigned percent)
{
    if (footprint->highest >= RESIDENT_MAX)
        return true;
    for (int i = 1; i < 4; i++)
        if (quarters[i] <= quarters[i - 1])
            return false;
    uint64_t first = quarters[1] - quarters[0], last = quarters[3] - quarters[2];
    return quarters[3] - quarters[0] > GROWTH_BYTES + footprint->peak_live / 8 &&
           last * 100 >= first * percent;
}

bool footprint_is_growing(const struct footprint *footprint, const uint64_t quarters[4])
{
    return grows_on(footprint, quarters, QUARTERS_STEADY_PERCENT);
}

bool footprint_is_suspicious(const struct footprint *footprint)
{
    return grows_on(footprint, footprint->quarters, QUARTERS_SUSPICIOUS_PERCENT) ||
           grows_on(footprint, footprint->held_quarters, QUARTERS_SUSPICIOUS_PERCENT);
}

bool footprint_is_past_plateaus(const struct footprint *footprint)
{
    return footprint->highest >= PLATEAU_BYTES ||
           (!footprint->has_new_sizes &&
            trend_is_past_quarantines(footprint->freed, TREND_ENOUGH_FREES));
}

bool footprint_is_bloated(const struct footprint *footprint)
{
    return footprint->highest > BLOAT_BYTES + BLOAT_FACTOR * footprint->peak_live;
}

bool footprint_is_settled(const struct footprint *footprint, uint64_t settled)
{
    return settled <= footprint->quarters[0] + GROWTH_BYTES &&
           settled < BLOAT_BYTES + BLOAT_FACTOR * footprint->peak_live +
                         footprint->highest / KEPT_DIVISOR;
}

bool costs_may_grow(const double *costs, unsigned count, double floor)
{
    double least = costs[1] < costs[0] * DOUBLING ? costs[1] : costs[0] * DOUBLING;
    for (unsigned i = 2; i < count; i++)
        least *= DOUBLING;
    return count >= COSTS_ENOUGH && costs[count - 1] >= least &&
           costs[count - 1] > floor * (1u << (count - COSTS_ENOUGH));
}

bool costs_grow(const double *costs, unsigned count, double floor)
{
    for (unsigned i = count == COSTS_MAX ? 2 : 1; i < count; i++)
        if (costs[i] < costs[i - 1] * DOUBLING)
            return false;
    return costs_may_grow(costs, count, floor);
}
