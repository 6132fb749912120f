/* SPDX-License-Identifier: MIT */
/* The workloads as jobs. Arguments: MODE ROUNDS-or-COUNT SIZE, as growth_process writes them. */
#include "adversity/growth/process.h"
#include "adversity/growth/workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { ARGUMENT_MODE, ARGUMENT_COUNT, ARGUMENT_SIZE, ARGUMENTS, SLOW_CALL_US = 200 };

uint64_t growth_held(void)
{
    return job_subject.footprint != NULL ? job_subject.footprint() : 0;
}

/* Microseconds of the fastest of some calls: what else runs on the machine only adds to it. */
static uint64_t read_pace_us(void)
{
    enum { CALLS = 8 };
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < CALLS && least > SLOW_CALL_US; i++) {
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        calls.free(calls.malloc(64));
        clock_gettime(CLOCK_MONOTONIC, &end);
        uint64_t us = (uint64_t)(end.tv_sec - start.tv_sec) * 1000000 +
                      (uint64_t)(end.tv_nsec / 1000) - (uint64_t)(start.tv_nsec / 1000);
        least = us / 2 < least ? us / 2 : least;
    }
    return least;
}

void workload_run(const struct job *job, void *report, char *const arguments[])
{
    const struct workload *workload = (const struct workload *)job;
    for (unsigned i = 0; i < ARGUMENTS; i++)
        if (arguments[i] == NULL)
            _exit(2);
    size_t count = strtoul(arguments[ARGUMENT_COUNT], NULL, 10),
           size = strtoul(arguments[ARGUMENT_SIZE], NULL, 10);
    growth_report = report;
    uint64_t pace_us = read_pace_us();
    if (pace_us > SLOW_CALL_US) {
        growth_report->is_slow = 1;
        snprintf(growth_report->sentence, sizeof growth_report->sentence,
                 "a call takes %llu us, which is too slow for so many",
                 (unsigned long long)pace_us);
        return;
    }
    if (workload->kind == WORKLOAD_FOOTPRINT)
        measure_footprint(workload, (unsigned)count, (unsigned)size);
    else if (workload->kind == WORKLOAD_ROOM)
        measure_room(workload, count, size);
    else
        measure_scaling(workload, count, size,
                        strcmp(arguments[ARGUMENT_MODE], GROWTH_COUNTING) == 0);
}
