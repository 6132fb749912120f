/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

/* A search that looks at every hole shows here: none of them fits. */
WORKLOAD(fragments, "N holes that are too small, then N/8 requests of twice their size",
         .kind = WORKLOAD_SCALING, .size_max = 256 << 10, .bytes_max = 1 << 30)
{
    size_t requests = task->count / 8;
    void **blocks = growth_slots(2 * task->count), **wide = growth_slots(requests);
    uint32_t state = 1;
    for (size_t i = 0; i < 2 * task->count; i++)
        blocks[i] = calls.malloc(task->size + growth_random(&state) % (task->size / 8 + 1));
    growth_want(blocks[2 * task->count - 1], "malloc", task->size);
    for (size_t i = 0; i < 2 * task->count; i += 2)
        calls.free(blocks[i]);
    growth_begin();
    for (size_t i = 0; i < requests; i++)
        wide[i] = calls.malloc(task->size * 2 + task->size / 4);
    growth_end(requests);
    for (size_t i = 0; i < requests; i++)
        calls.free(wide[i]);
    for (size_t i = 1; i < 2 * task->count; i += 2)
        calls.free(blocks[i]);
}
