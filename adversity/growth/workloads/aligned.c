/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

WORKLOAD(aligned, "N blocks aligned to their size, then freed in random order",
         .kind = WORKLOAD_SCALING, .size_max = 1 << 20, .job.needs = NEEDS(aligned_alloc))
{
    void **blocks = growth_slots(task->count);
    growth_begin();
    for (size_t i = 0; i < task->count; i++)
        blocks[i] = calls.aligned_alloc(task->size, task->size);
    growth_end(task->count);
    growth_want(blocks[task->count - 1], "aligned_alloc", task->size);
    growth_shuffle(blocks, task->count);
    growth_begin();
    for (size_t i = 0; i < task->count; i++)
        calls.free(blocks[i]);
    growth_end(task->count);
}
