/* SPDX-License-Identifier: MIT */
/* The scenarios as jobs. Arguments: WORKERS MILLISECONDS SEED ONE_PROCESSOR PACE MUTED SMALL. */
#include "adversity/torture/scenarios.h"
#include "adversity/torture/torture_internal.h"
#include "harness/job/job.h"

enum { ARGUMENTS = 7 };

static void run(void (*scenario)(void), void *report, char *const arguments[])
{
    for (unsigned i = 0; i < ARGUMENTS; i++)
        if (arguments[i] == NULL)
            _exit(2);
    const struct torture_options options = {
        .workers = (unsigned)strtoul(arguments[0], NULL, 10),
        .milliseconds = (unsigned)strtoul(arguments[1], NULL, 10),
        .seed = strtoull(arguments[2], NULL, 10),
        .on_one_processor = arguments[3][0] == '1',
        .pace_us = (unsigned)strtoul(arguments[4], NULL, 10),
        .muted = arguments[5],
        .is_small = arguments[6][0] == '1',
        .alignment = torture_alignment(subject_offers(&job_subject))};
    torture_begin(report, &options);
    scenario();
    torture_end();
}

#define SCENARIO(name, function, milliseconds, pace_us, needs, files, text)                  \
    static void run_##function(const struct job *job, void *report, char *const arguments[]) \
    {                                                                                        \
        (void)job;                                                                           \
        run(scenario_##function, report, arguments);                                         \
    }                                                                                        \
    static const struct job job_##function = {name, JOB_SCENARIO, needs, run_##function};    \
    JOB_REGISTER(function, job_##function);
SCENARIOS(SCENARIO)
#undef SCENARIO
