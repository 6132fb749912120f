/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

WORKLOAD(
    aligned_mixed,
    "200 live blocks of 16 bytes to 32 KiB, aligned to 16 bytes up to 256 KiB, replaced one by one",
    .kind = WORKLOAD_FOOTPRINT, .rounds = 100, .job.needs = NEEDS(posix_memalign))
{
    enum { LIVE = 200 };
    static void *blocks[LIVE];
    static size_t sizes[LIVE];
    static uint32_t state = 1;
    (void)task;
    for (size_t i = 0; i < (size_t)2 * LIVE; i++) {
        size_t at = growth_random(&state) % LIVE,
               alignment = (size_t)16 << growth_random(&state) % 15;
        growth_give(blocks[at], sizes[at]);
        sizes[at] = growth_random_size(&state, 16, 32 << 10);
        blocks[at] = growth_take_aligned(alignment, sizes[at]);
    }
}
