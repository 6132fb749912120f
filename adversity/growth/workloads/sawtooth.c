/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

WORKLOAD(sawtooth,
         "a stack of blocks of 100 bytes to 12 KiB that grows and shrinks by thirds, up to 2000 "
         "blocks deep",
         .kind = WORKLOAD_FOOTPRINT, .rounds = 100)
{
    enum { DEPTH = 2000 };
    static void *blocks[DEPTH];
    static size_t sizes[DEPTH];
    uint32_t state = task->round;
    size_t depth = 0;
    for (size_t tooth = 0; tooth < 12; tooth++) {
        while (depth < DEPTH) {
            sizes[depth] = growth_random_size(&state, 100, 12 << 10);
            blocks[depth] = growth_take(sizes[depth]);
            depth++;
        }
        growth_observe();
        for (size_t floor = tooth % 3 * DEPTH / 3; depth > floor;) {
            depth--;
            growth_give(blocks[depth], sizes[depth]);
        }
    }
    while (depth > 0) {
        depth--;
        growth_give(blocks[depth], sizes[depth]);
    }
}
