/* SPDX-License-Identifier: MIT */
/* The workloads as jobs. Arguments: MODE ROUNDS-or-COUNT SIZE, as growth_process writes them. */
#include "adversity/growth/process.h"
#include "adversity/growth/workload.h"

#include <stdlib.h>
#include <unistd.h>

enum { ARGUMENT_MODE, ARGUMENT_COUNT, ARGUMENT_SIZE, ARGUMENTS };

uint64_t growth_held(void)
{
    return job_subject.footprint != NULL ? job_subject.footprint() : 0;
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
    if (workload->kind == WORKLOAD_FOOTPRINT)
        measure_footprint(workload, (unsigned)count, (unsigned)size);
    else
        measure_scaling(workload, count, size,
                        strcmp(arguments[ARGUMENT_MODE], GROWTH_COUNTING) == 0);
}
