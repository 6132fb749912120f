/* SPDX-License-Identifier: MIT */
#include "adversity/growth/shape.h"

#include <unistd.h>

/* Longer than jemalloc keeps freed pages (10 s), and in steps, since some allocators look at the clock only when they are called. */
enum { SETTLE_SECONDS = 12 };

/* Time passes, the shape runs on: what the process holds at last, at the end of a round. */
static uint64_t settle(const struct shape *shape, unsigned round)
{
    uint64_t least = UINT64_MAX;
    for (unsigned second = 0; second < SETTLE_SECONDS; second++) {
        sleep(1);
        kit_sample();
        kit_observe();
        uint64_t resident = kit_sample().resident;
        least = resident < least ? resident : least;
        shape->run(&(struct task){.round = round + second});
    }
    return least;
}

void measure_footprint(const struct shape *shape, unsigned rounds, bool is_settling)
{
    unsigned samples = rounds < SAMPLES_MAX ? rounds : SAMPLES_MAX;
    kit_start();
    for (unsigned round = 0; round < rounds; round++) {
        kit_report->round = round;
        shape->run(&(struct task){.round = round});
        kit_observe();
        if ((round + 1) * samples / rounds > kit_report->sample_count)
            kit_report->samples[kit_report->sample_count++] = kit_sample();
    }
    if (is_settling)
        kit_report->settled = settle(shape, rounds);
    kit_report->is_done = 1;
}
