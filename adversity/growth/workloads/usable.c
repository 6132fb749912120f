/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

WORKLOAD(usable, "malloc_usable_size of each of N live blocks", .kind = WORKLOAD_SCALING,
         .size_max = 1 << 20, .job.needs = NEEDS(malloc_usable_size))
{
    void **blocks = growth_slots(task->count);
    for (size_t i = 0; i < task->count; i++)
        blocks[i] = calls.malloc(task->size);
    growth_want(blocks[task->count - 1], "malloc", task->size);
    growth_begin();
    for (size_t i = 0; i < task->count; i++)
        calls.malloc_usable_size(blocks[i]);
    growth_end(task->count);
    for (size_t i = 0; i < task->count; i++)
        calls.free(blocks[i]);
}
