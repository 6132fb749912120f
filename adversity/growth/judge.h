/* SPDX-License-Identifier: MIT */
/*
 * From numbers to yes and no, without a process: so that the rules can be tested on made-up
 * numbers.
 *
 * Footprint. A workload uses a process round after round, and after each as much is live as before.
 * Two things may go wrong:
 *   growing   what the process holds goes on growing: in each quarter of the rounds, in the last as
 *             in the first, to well above anything that caches explain
 *   bloated   it holds many times what was ever live, growing or not
 * Scaling. A workload does about N operations with N blocks; an operation must cost about the same
 * at N, 2N and 4N. Caches of the machine and of the allocator bend that line, but each bends it
 * once: cost is said to grow with N where it grows at every doubling, by about as much as N does,
 * and to more than a few cache misses. What an operation costs anyway, such as slow page faults,
 * may hide the first doubling: of COSTS_MAX costs it is not asked.
 */
#ifndef GROWTH_JUDGE_H
#define GROWTH_JUDGE_H

#include "adversity/growth/report.h"
#include "harness/base/trend.h"

#include <stdbool.h>

/* Costs at N, 2N, … to suspect by, to confirm by, and in the last run: what one of the caches hides
 * shows a step, not a line. */
enum { COSTS_ENOUGH = 3, COSTS_TO_CONFIRM = 4, COSTS_MAX = 5 };

/* More than the largest quarantine in use, 256 MiB, and what is live beside it. */
#define PLATEAU_BYTES (UINT64_C(384) << 20)

/* Bytes above the start. */
struct footprint {
    uint64_t peak_live, highest; /* by resident memory */
    uint64_t quarters[4];        /* highest in each */
    uint64_t held_quarters[4];   /* the same by the subject's own count */
    struct trend_freed freed;
    bool has_new_sizes; /* as in the report */
};
struct footprint footprint_of(const struct growth_report *report);
bool footprint_is_growing(const struct footprint *footprint, const uint64_t quarters[4]);
/* Worth more rounds: the first ones of a leak also fill what every allocator fills once. */
bool footprint_is_suspicious(const struct footprint *footprint);
/* Whether growth so far is past every cache and quarantine: what comes before is no verdict. */
bool footprint_is_past_plateaus(const struct footprint *footprint);
bool footprint_is_bloated(const struct footprint *footprint);
/* Whether time alone took back what had grown. */
bool footprint_is_settled(const struct footprint *footprint, uint64_t settled);

/* Of one operation at N, 2N, 4N, …; count is COSTS_ENOUGH at least. Up to `floor` at 4N, twice as
 * much at 8N, …, is nothing to speak of. */
bool costs_grow(const double *costs, unsigned count, double floor);
/* By as much in all, from N or from 2N on, whatever the steps. */
bool costs_may_grow(const double *costs, unsigned count, double floor);
#define COST_FLOOR_NS           500.0
#define COST_FLOOR_INSTRUCTIONS 200.0

#endif
