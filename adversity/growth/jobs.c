/* SPDX-License-Identifier: MIT */
/* The shapes as jobs. Arguments: MODE ROUNDS-or-COUNT SIZE, as growth_process writes them. */
#include "adversity/growth/process.h"
#include "adversity/growth/shape.h"

#include <stdlib.h>
#include <unistd.h>

enum { ARGUMENT_MODE, ARGUMENT_COUNT, ARGUMENT_SIZE, ARGUMENTS };

uint64_t kit_held(void)
{
    return job_subject.footprint != NULL ? job_subject.footprint() : 0;
}

void shape_run(const struct job *job, void *report, char *const arguments[])
{
    const struct shape *shape = (const struct shape *)job;
    for (unsigned i = 0; i < ARGUMENTS; i++)
        if (arguments[i] == NULL)
            _exit(2);
    size_t count = strtoul(arguments[ARGUMENT_COUNT], NULL, 10),
           size = strtoul(arguments[ARGUMENT_SIZE], NULL, 10);
    kit_report = report;
    if (shape->kind == SHAPE_FOOTPRINT)
        measure_footprint(shape, (unsigned)count, (unsigned)size);
    else
        measure_scaling(shape, count, size, strcmp(arguments[ARGUMENT_MODE], GROWTH_COUNTING) == 0);
}
