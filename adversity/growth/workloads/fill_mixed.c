/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

WORKLOAD(fill_mixed, "N blocks of differing sizes, freed in random order", .kind = WORKLOAD_SCALING,
         .size_max = 16 << 20)
{
    void **blocks = growth_slots(task->count);
    uint32_t state = 1;
    growth_begin();
    for (size_t i = 0; i < task->count; i++)
        blocks[i] = calls.malloc(task->size + growth_random(&state) % task->size);
    growth_end(task->count);
    growth_want(blocks[task->count - 1], "malloc", task->size);
    growth_shuffle(blocks, task->count);
    growth_begin();
    for (size_t i = 0; i < task->count; i++)
        calls.free(blocks[i]);
    growth_end(task->count);
}
