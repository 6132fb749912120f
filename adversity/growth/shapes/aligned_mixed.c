/* SPDX-License-Identifier: MIT */
#include "adversity/growth/shape.h"

SHAPE(
    aligned_mixed,
    "200 live blocks of 16 bytes to 32 KiB, aligned to 16 bytes up to 256 KiB, replaced one by one",
    .kind = SHAPE_FOOTPRINT, .rounds = 100, .job.needs = NEEDS(posix_memalign))
{
    enum { LIVE = 200 };
    static void *blocks[LIVE];
    static size_t sizes[LIVE];
    static uint32_t state = 1;
    (void)task;
    for (size_t i = 0; i < (size_t)2 * LIVE; i++) {
        size_t at = kit_random(&state) % LIVE, alignment = (size_t)16 << kit_random(&state) % 15;
        kit_give(blocks[at], sizes[at]);
        sizes[at] = kit_random_size(&state, 16, 32 << 10);
        blocks[at] = kit_take_aligned(alignment, sizes[at]);
    }
}
