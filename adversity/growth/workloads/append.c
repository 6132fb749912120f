/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

/* What the last doubling costs: an allocator grows in place, remaps, or rounds up by a part of the
 * size. */
WORKLOAD(append, "one block that realloc makes longer by a 256th, from half of a size to all",
         .kind = WORKLOAD_APPENDS, .is_choice = true, .size_min = 1 << 10, .size_max = 64 << 20,
         .job.needs = NEEDS(realloc))
{
    enum { STEPS = 128 };
    size_t step = task->size / 2 / STEPS;
    void *block = growth_take(task->size / 2);
    growth_begin();
    for (size_t size = task->size / 2 + step; size <= task->size; size += step)
        block = growth_append(block, size - step, size);
    growth_end(STEPS);
    growth_give(block, task->size);
}
