/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

/* What a shrunk block gave up must serve later requests. Few enough are kept that a page for each
 * of them is nothing to speak of. */
WORKLOAD(realloc_shrink,
         "two blocks of 256 KiB to 4 MiB shrunk to 64 bytes each and kept: 200 in all",
         .kind = WORKLOAD_FOOTPRINT, .rounds = 100, .is_choice = true, .job.needs = NEEDS(realloc))
{
    void *blocks[2];
    size_t sizes[2];
    uint32_t state = task->round;
    for (size_t i = 0; i < 2; i++) {
        sizes[i] = growth_random_size(&state, 256 << 10, 4 << 20);
        blocks[i] = growth_take(sizes[i]);
    }
    for (size_t i = 0; i < 2; i++)
        growth_resize(blocks[i], sizes[i], 64);
}
