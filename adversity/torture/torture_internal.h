/* SPDX-License-Identifier: MIT */
/* What torture*.c share, and the jobs: one process of a scenario. */
#ifndef TORTURE_INTERNAL_H
#define TORTURE_INTERNAL_H

#include "adversity/torture/testlib.h"
#include "adversity/torture/torture.h"

/* The moment-to-moment choices of one process. */
struct torture_mode {
    uint64_t seed;
    bool on_one_processor;
    unsigned pace_us;
};
/* Of process `i`: on all processors and on one, with interruptions and without. */
struct torture_mode torture_mode_of(const struct torture_plan *plan, unsigned i);

/* Runs one process and adds what it did to the result. Returns 0 or a positive errno with a
 * sentence. */
int torture_run_process(const struct torture_plan *plan, const struct torture_mode *mode,
                        struct torture_result *result, char error[SUBJECT_ERROR_MAX]);

/* As in struct torture_options, of a subject with these offers. */
static inline size_t torture_alignment(unsigned offers)
{
    return (offers >> SUBJECT_full_alignment & 1) != 0 ? 16 : 8;
}

#endif
