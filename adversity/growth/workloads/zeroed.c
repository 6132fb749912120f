/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

WORKLOAD(zeroed, "N zeroed blocks, then freed in the order of allocation", .kind = WORKLOAD_SCALING,
         .size_max = 16 << 10, .bytes_max = 64 << 20, .job.needs = NEEDS(calloc))
{
    void **blocks = growth_slots(task->count);
    growth_begin();
    for (size_t i = 0; i < task->count; i++)
        blocks[i] = calls.calloc(1, task->size);
    growth_end(task->count);
    growth_want(blocks[task->count - 1], "calloc", task->size);
    growth_begin();
    for (size_t i = 0; i < task->count; i++)
        calls.free(blocks[i]);
    growth_end(task->count);
}
