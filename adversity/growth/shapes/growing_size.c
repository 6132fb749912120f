/* SPDX-License-Identifier: MIT */
#include "adversity/growth/shape.h"

/* A vector that a program grows by hand: the next one is taken before the last one is freed, so the
 * hole is always a bit too small. */
SHAPE(growing_size,
      "two blocks in turn, each 20000 bytes larger than the one freed before, up to 3 MiB",
      .kind = SHAPE_FOOTPRINT, .rounds = 48)
{
    size_t step = 20000 + 16 * task->round, old_size = 0;
    void *old = NULL;
    for (size_t size = step; size < 3 << 20; size += step) {
        void *block = kit_take(size);
        kit_observe();
        kit_give(old, old_size);
        old = block;
        old_size = size;
    }
    kit_give(old, old_size);
}
