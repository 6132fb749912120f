/* SPDX-License-Identifier: MIT */
/*
 * Set cover: of many traces the few that together show all that all of them show. A feature is a
 * counter of a run (guidance for a search) and how often it was hit, in the eight classes that
 * fuzzing engines tell apart: 1, 2, 3, up to 7, 15, 31, 127, and more.
 *
 * Greedy: the trace that adds most comes first; of several the one with a name, then the shorter,
 * then the earlier. At most ln(features) times as many as the fewest possible (Chvatal: A greedy
 * heuristic for the set-covering problem, 1979), and the same for the same traces.
 */
#ifndef MALLET_COVER_H
#define MALLET_COVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COVER_CLASSES = 8 };

struct cover_trace {
    uint32_t *features; /* below the limit given to cover_choose */
    size_t feature_count;
    size_t ops;
    bool is_named; /* by a person, not by an engine */
    size_t gain;   /* set by cover_choose: features that it adds to those chosen before */
};

/* Writes the features of so many counters, and returns their number, at most one a counter. */
size_t cover_features(const uint8_t *counters, size_t count, uint32_t *ret_features);

/* Writes the indices of the chosen traces, in the order in which they were chosen, and sets
 * ret_count. ret_chosen has room for all. Returns 0 or ENOMEM. */
int cover_choose(struct cover_trace traces[], size_t count, uint32_t feature_limit,
                 size_t ret_chosen[], size_t *ret_count);

#endif
