/* SPDX-License-Identifier: MIT */
#include "adversity/growth/shape.h"

SHAPE(large_churn, "16 live blocks of 64 KiB to 4 MiB, replaced at random", .kind = SHAPE_FOOTPRINT,
      .rounds = 60)
{
    enum { LIVE = 16 };
    static void *blocks[LIVE];
    static size_t sizes[LIVE];
    static uint32_t state = 1;
    (void)task;
    for (size_t i = 0; i < LIVE; i++) {
        size_t at = kit_random(&state) % LIVE;
        kit_give(blocks[at], sizes[at]);
        sizes[at] = kit_random_size(&state, 64 << 10, 4 << 20);
        blocks[at] = kit_take(sizes[at]);
    }
}
