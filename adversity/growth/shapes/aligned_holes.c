/* SPDX-License-Identifier: MIT */
#include "adversity/growth/shape.h"

/* Each leaves holes before and behind it; a hole that is too small for the next is what grows. */
SHAPE(aligned_holes,
      "one byte aligned to 8 KiB and one to 64 KiB, freed at once, 1500 times a round",
      .kind = SHAPE_FOOTPRINT, .rounds = 100, .job.needs = NEEDS(posix_memalign))
{
    (void)task;
    for (size_t i = 0; i < 1500; i++) {
        void *first = kit_take_aligned(8 << 10, 1), *second = kit_take_aligned(64 << 10, 1);
        kit_give(first, 1);
        kit_give(second, 1);
    }
}
