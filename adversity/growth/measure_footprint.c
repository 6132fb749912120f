/* SPDX-License-Identifier: MIT */
#include "adversity/growth/process.h"
#include "adversity/growth/workload.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    ROUNDS_BEYOND = 6 /* seconds between rounds that would add to it */,
    PASSING_CALLS = 4096,
    PASSING_SIZE = 64 << 10
};

/* jemalloc looks at the clock about once in a thousand calls that its thread caches do not serve.
 * Nothing stays, nothing is touched. */
static void call_often(void)
{
    for (unsigned i = 0; i < PASSING_CALLS; i++)
        calls.free(calls.malloc(PASSING_SIZE));
}

/* Time passes, the workload runs on, since some allocators look at the clock only when they are
 * called: the least that the process holds then. */
static uint64_t settle(const struct workload *workload, unsigned round, unsigned seconds)
{
    uint64_t least = UINT64_MAX;
    for (unsigned second = 0; second < seconds; second++) {
        sleep(1);
        growth_report->seconds_passed = second + 1;
        call_often();
        growth_sample();
        growth_observe();
        uint64_t resident = growth_sample().resident;
        least = resident < least ? resident : least;
        if (resident < RESIDENT_MAX || second % ROUNDS_BEYOND == 0)
            workload->do_round(&(struct task){.round = round + second});
    }
    return least;
}

void measure_room(const struct workload *workload, size_t count, size_t size)
{
    growth_start();
    workload->do_round(&(struct task){.count = count, .size = size});
    growth_observe();
    growth_report->resident = growth_sample().resident;
    growth_report->live = growth_live();
    growth_report->is_done = 1;
}

/* Well before the limit of the process, so that it can report. */
static bool is_out_of_time(void)
{
    struct timespec used;
    struct rlimit limit;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return getrlimit(RLIMIT_CPU, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
           (rlim_t)used.tv_sec >= limit.rlim_cur * 3 / 4;
}

void measure_footprint(const struct workload *workload, unsigned rounds, unsigned settle_seconds)
{
    unsigned samples = rounds < SAMPLES_MAX ? rounds : SAMPLES_MAX;
    uint64_t resident = 0;
    growth_start();
    for (unsigned round = 0; round < rounds && resident < RESIDENT_MAX && !is_out_of_time();
         round++) {
        growth_report->round = round;
        workload->do_round(&(struct task){.round = round});
        growth_observe();
        if ((round + 1) * samples / rounds > growth_report->sample_count) {
            struct growth_sample sample = growth_sample();
            growth_report->samples[growth_report->sample_count++] = sample;
            resident = sample.resident;
        }
    }
    if (settle_seconds > 0)
        growth_report->settled = settle(workload, rounds, settle_seconds);
    growth_report->is_done = 1;
}
