/* SPDX-License-Identifier: MIT */
#include "adversity/growth/shape.h"

SHAPE(cycles, "identical cycles: 1500 blocks of 16 bytes to 64 KiB allocated, all freed",
      .kind = SHAPE_FOOTPRINT, .rounds = 300)
{
    static void *blocks[1500];
    static size_t sizes[1500];
    uint32_t state = 1;
    (void)task;
    for (size_t i = 0; i < 1500; i++) {
        sizes[i] = kit_random_size(&state, 16, 64 << 10);
        blocks[i] = kit_take(sizes[i]);
    }
    kit_observe();
    for (size_t i = 0; i < 1500; i++)
        kit_give(blocks[i], sizes[i]);
}
