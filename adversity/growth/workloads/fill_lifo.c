/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

WORKLOAD(fill_lifo, "N blocks allocated, then freed last first", .kind = WORKLOAD_SCALING,
         .size_max = 64 << 20)
{
    void **blocks = growth_slots(task->count);
    growth_begin();
    for (size_t i = 0; i < task->count; i++)
        blocks[i] = calls.malloc(task->size);
    growth_end(task->count);
    growth_want(blocks[task->count - 1], "malloc", task->size);
    growth_begin();
    for (size_t i = 0; i < task->count; i++)
        calls.free(blocks[task->count - 1 - i]);
    growth_end(task->count);
}
