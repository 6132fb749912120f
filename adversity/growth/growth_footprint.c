/* SPDX-License-Identifier: MIT */
/*
 * One workload, its memory round after round. What is suspicious is run again, at last for four
 * times as many rounds, after which the process lets time pass. Some allocators give memory back
 * only when it has lain unused for seconds: a burst makes them grow, though not without bound. That
 * is told as a note, since a program that does the same thing more slowly will not see it; what is
 * left after that time is a finding. So is a note what holds many times what was live and stays
 * there: a heap that shares nothing between size classes does.
 */
#include "adversity/growth/growth_internal.h"

#include <stdio.h>

/* Longer than jemalloc keeps freed pages: 10 seconds. */
enum { QUICK_DIVISOR = 3, LONGER = 4, SETTLE_SECONDS = 12 };

static double mebibytes(uint64_t bytes)
{
    return (double)bytes / (1 << 20);
}

static bool is_growing(const struct footprint *footprint)
{
    return footprint_is_growing(footprint, footprint->quarters) ||
           footprint_is_growing(footprint, footprint->held_quarters);
}

static void describe(const struct footprint *footprint, unsigned rounds, char *ret_sentence,
                     size_t capacity)
{
    bool is_resident = footprint_is_growing(footprint, footprint->quarters);
    const uint64_t *quarters = is_resident ? footprint->quarters : footprint->held_quarters;
    snprintf(ret_sentence, capacity,
             "%u rounds with at most %.1f MiB live: %s memory grew on and on, %.1f, %.1f, %.1f, "
             "%.1f MiB by quarters",
             rounds, mebibytes(footprint->peak_live),
             is_resident ? "resident" : "the subject's own", mebibytes(quarters[0]),
             mebibytes(quarters[1]), mebibytes(quarters[2]), mebibytes(quarters[3]));
}

static void note_bloat(struct growth_result *result)
{
    const struct footprint *footprint = &result->footprint;
    if (!footprint_is_bloated(footprint))
        return;
    result->outcome = GROWTH_NOTE;
    snprintf(result->sentence, sizeof result->sentence,
             "holds %.1f MiB where at most %.1f MiB were live, but does not grow on",
             mebibytes(footprint->highest), mebibytes(footprint->peak_live));
}

/* Under --quick one wait tells what kind of allocator it is: whoever gave back in time once is not
 * waited for again. */
static bool gives_back_in_time;

/* The last of the runs decides what is said: it was longest. */
static void confirm(const struct growth_options *options, struct growth_order order,
                    struct growth_result *result)
{
    struct growth_report report = {0};
    struct footprint footprint = {0};
    const size_t first_rounds = order.count;
    result->reproduced = result->attempts = 1;
    while (result->attempts < ATTEMPTS && result->reproduced == result->attempts) {
        result->attempts++;
        if (result->attempts == ATTEMPTS && options->is_quick && gives_back_in_time) {
            result->outcome = GROWTH_NOTE;
            snprintf(result->sentence, sizeof result->sentence,
                     "memory grew in both runs; not waited for what time takes back");
            return;
        }
        if (result->attempts == ATTEMPTS) {
            order.count *= LONGER;
            order.size = options->settle_seconds != 0 ? options->settle_seconds : SETTLE_SECONDS;
        }
        if (!growth_measure(options, &order, result, &report))
            return;
        footprint = footprint_of(&report);
        result->reproduced += is_growing(&footprint);
    }
    if (result->reproduced < ATTEMPTS) {
        result->count = first_rounds;
        return;
    }
    char sentence[VERDICT_SENTENCE_MAX];
    describe(&footprint, (unsigned)order.count, sentence, sizeof sentence);
    result->footprint = footprint;
    if (footprint_is_settled(&footprint, report.settled)) {
        result->outcome = GROWTH_NOTE;
        gives_back_in_time = true;
        snprintf(result->sentence, sizeof result->sentence,
                 "%.200s; bounded by time only: %.1f MiB seconds later", sentence,
                 mebibytes(report.settled));
    } else
        growth_find(result, CHECK_FOOTPRINT, "%.200s, %.1f MiB seconds later", sentence,
                    mebibytes(report.settled));
}

void growth_footprint(const struct growth_options *options, struct growth_result *result)
{
    unsigned rounds = result->workload->rounds, quick = rounds / QUICK_DIVISOR;
    struct growth_order order = {.workload = result->workload->job.name,
                                 .count = options->is_quick ? quick : rounds};
    struct growth_report report;
    if (!growth_measure(options, &order, result, &report))
        return;
    result->footprint = footprint_of(&report);
    if (is_growing(&result->footprint))
        confirm(options, order, result);
    if (result->outcome == GROWTH_CLEAN)
        note_bloat(result);
}
