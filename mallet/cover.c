/* SPDX-License-Identifier: MIT */
/*
 * What a trace adds can only fall while others are chosen. So the number of an earlier round is an
 * upper bound, and a trace is counted anew only if its bound is above the best of this round.
 */
#include "mallet/cover.h"

#include <errno.h>
#include <stdlib.h>

static uint32_t class_of(uint8_t hits)
{
    static const uint8_t ends[COVER_CLASSES - 1] = {1, 2, 3, 7, 15, 31, 127};
    uint32_t class = 0;
    while (class < COVER_CLASSES - 1 && hits > ends[class])
        class ++;
    return class;
}

size_t cover_features(const uint8_t *counters, size_t count, uint32_t *ret_features)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        if (counters[i] != 0)
            ret_features[found++] = (uint32_t)i * COVER_CLASSES + class_of(counters[i]);
    return found;
}

static size_t count_new(const struct cover_trace *trace, const bool *is_covered)
{
    size_t found = 0;
    for (size_t i = 0; i < trace->feature_count; i++)
        found += !is_covered[trace->features[i]];
    return found;
}

static bool is_preferred(const struct cover_trace *trace, const struct cover_trace *other)
{
    if (trace->gain != other->gain)
        return trace->gain > other->gain;
    return trace->is_named != other->is_named ? trace->is_named : trace->ops < other->ops;
}

/* The index of the trace that adds most, or count if none adds anything. */
static size_t choose_next(struct cover_trace traces[], size_t count, const bool *is_covered)
{
    size_t best = count;
    for (size_t i = 0; i < count; i++) {
        struct cover_trace *trace = &traces[i];
        if (trace->gain == 0 || (best < count && !is_preferred(trace, &traces[best])))
            continue;
        trace->gain = count_new(trace, is_covered);
        if (trace->gain > 0 && (best == count || is_preferred(trace, &traces[best])))
            best = i;
    }
    return best;
}

int cover_choose(struct cover_trace traces[], size_t count, uint32_t feature_limit,
                 size_t ret_chosen[], size_t *ret_count)
{
    bool *is_covered = calloc(feature_limit, sizeof *is_covered);
    size_t *gains = calloc(count + 1, sizeof *gains);
    size_t chosen = 0;
    for (size_t i = 0; i < count; i++)
        traces[i].gain = traces[i].feature_count;
    while (is_covered != NULL && gains != NULL) {
        size_t best = choose_next(traces, count, is_covered);
        if (best == count)
            break;
        for (size_t i = 0; i < traces[best].feature_count; i++)
            is_covered[traces[best].features[i]] = true;
        gains[best] = traces[best].gain;
        traces[best].gain = 0;
        ret_chosen[chosen++] = best;
    }
    for (size_t i = 0; i < count && gains != NULL; i++)
        traces[i].gain = gains[i];
    bool is_done = is_covered != NULL && gains != NULL;
    free(is_covered);
    free(gains);
    if (!is_done)
        return ENOMEM;
    *ret_count = chosen;
    return 0;
}
