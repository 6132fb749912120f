/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

/* Copying at each step makes it quadratic; an allocator grows in place, remaps, or rounds up by a
 * part of the size. */
WORKLOAD(grow_in_steps, "one block that realloc makes 64 bytes larger, N times",
         .kind = WORKLOAD_SCALING, .is_choice = true, .job.needs = NEEDS(realloc))
{
    void *block = NULL;
    growth_begin();
    for (size_t i = 0; i < task->count; i++)
        block = growth_want(calls.realloc(block, 64 * (i + 1)), "realloc", 64 * (i + 1));
    growth_end(task->count);
    calls.free(block);
}
