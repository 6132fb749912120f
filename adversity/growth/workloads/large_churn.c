/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

WORKLOAD(large_churn, "16 live blocks of 64 KiB to 4 MiB, replaced at random",
         .kind = WORKLOAD_FOOTPRINT, .rounds = 60)
{
    enum { LIVE = 16 };
    static void *blocks[LIVE];
    static size_t sizes[LIVE];
    static uint32_t state = 1;
    (void)task;
    for (size_t i = 0; i < LIVE; i++) {
        size_t at = growth_random(&state) % LIVE;
        growth_give(blocks[at], sizes[at]);
        sizes[at] = growth_random_size(&state, 64 << 10, 4 << 20);
        blocks[at] = growth_take(sizes[at]);
    }
}
