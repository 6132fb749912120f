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

#include "harness/base/trend.h"

#include <stdio.h>

/* Longer than jemalloc keeps freed pages: 10 seconds. */
enum {
    ROUNDS_LEAST = 4 /* one for each quarter */,
    QUICK_DIVISOR = 3,
    LONGER = 4,
    LONGEST = 1 << 16 /* rounds */,
    SETTLE_SECONDS = 12
};
/* Of what grew twice: a slow machine follows it as far as a fast one does. */
enum { LONGEST_CPU_SECONDS = 3 * GROWTH_CPU_SECONDS };
#define MARGIN 1.2

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
    if (footprint->highest >= RESIDENT_MAX) {
        snprintf(ret_sentence, capacity,
                 "%u rounds with at most %.1f MiB live: resident memory grew to %.1f MiB", rounds,
                 mebibytes(footprint->peak_live), mebibytes(footprint->highest));
        return;
    }
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

/* As many rounds as it takes, at the rate so far, to grow past every plateau, and at least LONGER
 * times as many as before; the process ends earlier when it has no time left. Then time passes.
 * False: that could not be measured. */
static bool measure_longest(const struct growth_options *options, struct growth_order *order,
                            struct growth_result *result, struct growth_report *ret_report)
{
    struct footprint footprint = footprint_of(ret_report);
    double rounds = (double)order->count,
           by_frees = (double)TREND_ENOUGH_FREES / ((double)footprint.freed.blocks + 1),
           by_freed = (double)TREND_ENOUGH_FREED / ((double)footprint.freed.bytes + 1),
           by_growth = (double)PLATEAU_BYTES / ((double)footprint.highest + 1),
           by_work = by_frees > by_freed ? by_frees : by_freed,
           wanted = rounds * MARGIN *
                    (by_work < by_growth && !footprint.has_new_sizes ? by_work : by_growth);
    order->count *= LONGER;
    if (wanted > (double)order->count)
        order->count = wanted < (double)LONGEST ? (size_t)wanted : LONGEST;
    order->cpu_seconds = LONGEST_CPU_SECONDS;
    order->size = options->settle_seconds != 0 ? options->settle_seconds : SETTLE_SECONDS;
    if (!growth_measure(options, order, result, ret_report))
        return false;
    order->count = ret_report->round + 1;
    return true;
}

/* A subject that was opened late has no part in the start and the end of threads that a preloaded
 * one has. Returns whether the same grows there too, or cannot be run there. */
static bool grows_preloaded(const struct growth_options *options, struct growth_order order,
                            const struct growth_result *result)
{
    struct subject_plan whole;
    struct growth_options preloaded = *options;
    struct growth_result again = {.workload = result->workload};
    struct growth_report report;
    if (options->subject->binding != BIND_DLOPEN ||
        (options->subject->offers & 1u << SUBJECT_whole_process) == 0 ||
        !subject_plan_whole_process(options->subject, &whole))
        return true;
    preloaded.subject = &whole;
    order.size = 0;
    if (!growth_measure(&preloaded, &order, &again, &report))
        return true;
    struct footprint footprint = footprint_of(&report);
    return is_growing(&footprint);
}

static void note(struct growth_result *result, const char *sentence, const char *reason)
{
    result->outcome = GROWTH_NOTE;
    snprintf(result->sentence, sizeof result->sentence, "%.240s; %s", sentence, reason);
}

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
        bool is_last = result->attempts == ATTEMPTS;
        if (!(is_last ? measure_longest(options, &order, result, &report)
                      : growth_measure(options, &order, result, &report)))
            return;
        footprint = footprint_of(&report);
        result->reproduced +=
            is_last ? is_growing(&footprint) : footprint_is_suspicious(&footprint);
    }
    if (result->reproduced < ATTEMPTS) {
        result->count = first_rounds;
        return;
    }
    char sentence[VERDICT_SENTENCE_MAX];
    describe(&footprint, (unsigned)order.count, sentence, sizeof sentence);
    result->footprint = footprint;
    if (footprint_is_settled(&footprint, report.settled)) {
        gives_back_in_time = true;
        note(result, sentence, "time took it back");
    } else if (!footprint_is_past_plateaus(&footprint)) {
        note(result, sentence, "not followed past what caches and quarantines hold");
    } else if (!grows_preloaded(options, order, result)) {
        note(result, sentence, "only when dlopened, not when preloaded");
        result->check = CHECK_FOOTPRINT;
    } else
        growth_find(result, CHECK_FOOTPRINT, "%.200s, %.1f MiB seconds later", sentence,
                    mebibytes(report.settled));
}

void growth_footprint(const struct growth_options *options, struct growth_result *result)
{
    unsigned rounds = result->workload->rounds,
             wanted = options->is_quick ? rounds / QUICK_DIVISOR : rounds;
    struct growth_order order = {.workload = result->workload->job.name, .count = wanted};
    struct growth_report report;
    if (!growth_measure(options, &order, result, &report))
        return;
    result->footprint = footprint_of(&report);
    if (result->footprint.highest < RESIDENT_MAX)
        order.count = result->count = report.round + 1;
    if (order.count < ROUNDS_LEAST) {
        result->count = wanted;
        growth_leave_out(result, report.round + 1, GROWTH_CPU_SECONDS);
    } else if (footprint_is_suspicious(&result->footprint))
        confirm(options, order, result);
    if (result->outcome == GROWTH_CLEAN)
        note_bloat(result);
}
