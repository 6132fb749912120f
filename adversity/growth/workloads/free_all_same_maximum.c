/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

WORKLOAD(
    free_all_same_maximum,
    "32 MiB in blocks of 16 bytes to 256 KiB, all freed in another order; then the same maximum "
    "again",
    .kind = WORKLOAD_FOOTPRINT, .rounds = 32)
{
    enum { BLOCKS_MAX = 8192 };
    struct sized {
        void *block;
        size_t size;
    };
    static struct sized sized[BLOCKS_MAX];
    static void *order[BLOCKS_MAX];
    uint32_t state = task->round; /* other sizes and another order each time */
    size_t count = 0;
    for (size_t total = 0; total < 32 << 20 && count < BLOCKS_MAX; count++) {
        sized[count].size = growth_random_size(&state, 16, 256 << 10);
        sized[count].block = growth_take(sized[count].size);
        order[count] = &sized[count];
        total += sized[count].size;
    }
    growth_observe();
    growth_shuffle(order, count);
    for (size_t i = 0; i < count; i++) {
        struct sized *next = order[i];
        growth_give(next->block, next->size);
    }
}
