/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

/* Each leaves holes before and behind it; a hole that is too small for the next is what grows. */
WORKLOAD(aligned_holes,
         "one byte aligned to 8 KiB and one to 64 KiB, freed at once, 1500 times a round",
         .kind = WORKLOAD_FOOTPRINT, .rounds = 100, .job.needs = NEEDS(posix_memalign))
{
    (void)task;
    for (size_t i = 0; i < 1500; i++) {
        void *first = growth_take_aligned(8 << 10, 1), *second = growth_take_aligned(64 << 10, 1);
        growth_give(first, 1);
        growth_give(second, 1);
    }
}
