/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

WORKLOAD(cycles, "identical cycles: 1500 blocks of 16 bytes to 64 KiB allocated, all freed",
         .kind = WORKLOAD_FOOTPRINT, .rounds = 300)
{
    static void *blocks[1500];
    static size_t sizes[1500];
    uint32_t state = 1;
    (void)task;
    for (size_t i = 0; i < 1500; i++) {
        sizes[i] = growth_random_size(&state, 16, 64 << 10);
        blocks[i] = growth_take(sizes[i]);
    }
    growth_observe();
    for (size_t i = 0; i < 1500; i++)
        growth_give(blocks[i], sizes[i]);
}
