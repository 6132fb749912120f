/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

WORKLOAD(replace_random, "with N blocks live, a random one replaced by one of another size",
         .kind = WORKLOAD_SCALING, .size_max = 16 << 20)
{
    void **blocks = growth_slots(task->count);
    uint32_t state = 1;
    for (size_t i = 0; i < task->count; i++)
        blocks[i] = calls.malloc(task->size);
    growth_want(blocks[task->count - 1], "malloc", task->size);
    growth_begin();
    for (size_t i = 0; i < task->count; i++) {
        size_t at = growth_random(&state) % task->count;
        calls.free(blocks[at]);
        blocks[at] = calls.malloc(task->size / 2 + growth_random(&state) % task->size);
    }
    growth_end(task->count);
    for (size_t i = 0; i < task->count; i++)
        calls.free(blocks[i]);
}
