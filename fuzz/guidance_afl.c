/* SPDX-License-Identifier: MIT */
/*
 * AFL++ has a map of edges. The counters get entries of their own in it through the call with which
 * its runtime numbers the edges of a module, so they never share an entry with a real edge.
 */
#include "fuzz/guidance.h"

#include "harness/run/run.h"

#include <string.h>

/* Of AFL++'s runtime. Its compiler pass would rename this one: this file is compiled without. */
extern uint8_t *__afl_area_ptr;
void __sanitizer_cov_trace_pc_guard_init(uint32_t *start, uint32_t *stop);

static uint8_t counters[RUN_COUNTERS];
static uint32_t places[RUN_COUNTERS]; /* in the map */

/* Among the first constructors, as the edges of a module are: the size of the map is fixed soon
 * after. */
__attribute__((constructor(2))) static void places_init(void)
{
    __sanitizer_cov_trace_pc_guard_init(places, places + RUN_COUNTERS);
}

uint8_t *guidance_begin(void)
{
    memset(counters, 0, sizeof(counters));
    return counters;
}

void guidance_end(void)
{
    for (size_t i = 0; i < RUN_COUNTERS; i++)
        if (counters[i] != 0)
            __afl_area_ptr[places[i]] = counters[i];
}
