/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

WORKLOAD(calloc_large, "four zeroed blocks of 300 KiB to 2 MiB at a time, freed",
         .kind = WORKLOAD_FOOTPRINT, .rounds = 200, .job.needs = NEEDS(calloc))
{
    void *blocks[4];
    size_t sizes[4];
    uint32_t state = task->round;
    for (size_t i = 0; i < 4; i++) {
        sizes[i] = growth_random_size(&state, 300 << 10, 2 << 20);
        blocks[i] = growth_take_zeroed(sizes[i]);
    }
    growth_observe();
    for (size_t i = 0; i < 4; i++)
        growth_give(blocks[i], sizes[i]);
}
