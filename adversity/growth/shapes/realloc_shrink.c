/* SPDX-License-Identifier: MIT */
#include "adversity/growth/shape.h"

/* What a shrunk block gave up must serve later requests. */
SHAPE(realloc_shrink, "blocks of 256 KiB to 1 MiB shrunk to 64 bytes each and kept: 1500 in all", .kind = SHAPE_FOOTPRINT, .rounds = 100,
      .needs = NEEDS(realloc))
{
    enum { BLOCKS = 15 };
    void *blocks[BLOCKS];
    size_t sizes[BLOCKS];
    uint32_t state = task->round;
    for (size_t i = 0; i < BLOCKS; i++) {
        sizes[i] = kit_random_size(&state, 256 << 10, 1 << 20);
        blocks[i] = kit_take(sizes[i]);
    }
    for (size_t i = 0; i < BLOCKS; i++)
        kit_resize(blocks[i], sizes[i], 64);
}
