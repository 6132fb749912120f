/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

/* The short-lived ones leave holes between blocks that stay for 8 rounds. */
WORKLOAD(lifetimes,
         "blocks of 32 bytes to 4 KiB in one order of allocation: nine of ten are freed soon, the "
         "tenth stays for eight rounds",
         .kind = WORKLOAD_FOOTPRINT, .rounds = 120)
{
    enum { AGES = 8, KEPT = 200, SHORT = 9 * KEPT };
    static void *kept[AGES][KEPT], *brief[SHORT];
    static size_t kept_sizes[AGES][KEPT], brief_sizes[SHORT];
    uint32_t state = task->round;
    size_t generation = task->round % AGES, used = 0;
    for (size_t i = 0; i < KEPT; i++)
        growth_give(kept[generation][i], kept_sizes[generation][i]);
    for (size_t i = 0; i < KEPT; i++) {
        for (size_t j = 0; j < 9; j++, used++) {
            brief_sizes[used] = growth_random_size(&state, 32, 4 << 10);
            brief[used] = growth_take(brief_sizes[used]);
        }
        kept_sizes[generation][i] = growth_random_size(&state, 32, 4 << 10);
        kept[generation][i] = growth_take(kept_sizes[generation][i]);
    }
    growth_observe();
    for (size_t i = 0; i < SHORT; i++)
        growth_give(brief[i], brief_sizes[i]);
}
