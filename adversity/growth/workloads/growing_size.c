/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

/* A vector that a program grows by hand: the next one is taken before the last one is freed, so the
 * hole is always a bit too small. */
WORKLOAD(growing_size,
         "two blocks in turn, each 20000 bytes larger than the one freed before, up to 3 MiB",
         .kind = WORKLOAD_FOOTPRINT, .rounds = 48)
{
    growth_report->has_new_sizes = 1;
    size_t step = 20000 + 16 * task->round, old_size = 0;
    void *old = NULL;
    for (size_t size = step; size < 3 << 20; size += step) {
        void *block = growth_take(size);
        growth_observe();
        growth_give(old, old_size);
        old = block;
        old_size = size;
    }
    growth_give(old, old_size);
}
