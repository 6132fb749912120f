/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

/* Shell's sort: nothing may allocate. */
static void sort(void **blocks, size_t count)
{
    for (size_t gap = count / 2; gap > 0; gap /= 2)
        for (size_t i = gap; i < count; i++)
            for (size_t j = i; j >= gap && (uintptr_t)blocks[j - gap] > (uintptr_t)blocks[j];
                 j -= gap) {
                void *kept = blocks[j];
                blocks[j] = blocks[j - gap];
                blocks[j - gap] = kept;
            }
}

WORKLOAD(free_by_address,
         "N blocks of differing sizes freed from the lowest address to the highest",
         .kind = WORKLOAD_SCALING, .size_max = 1 << 20)
{
    void **blocks = growth_slots(task->count);
    uint32_t state = 1;
    for (size_t i = 0; i < task->count; i++)
        blocks[i] = calls.malloc(task->size + growth_random(&state) % task->size);
    growth_want(blocks[task->count - 1], "malloc", task->size);
    sort(blocks, task->count);
    growth_begin();
    for (size_t i = 0; i < task->count; i++)
        calls.free(blocks[i]);
    growth_end(task->count);
}
