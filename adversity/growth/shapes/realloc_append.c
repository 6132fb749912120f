/* SPDX-License-Identifier: MIT */
#include "adversity/growth/shape.h"

SHAPE(realloc_append,
      "16 buffers that grow in turn by 1000 to 9000 bytes at a time, up to 512 KiB, then freed",
      .kind = SHAPE_FOOTPRINT, .rounds = 24, .job.needs = NEEDS(realloc))
{
    enum { BUFFERS = 16 };
    void *buffers[BUFFERS] = {NULL};
    size_t sizes[BUFFERS] = {0};
    uint32_t state = task->round;
    for (size_t step = 0; step < (size_t)BUFFERS * 100; step++) {
        size_t at = step % BUFFERS, size = sizes[at] + 1000 + kit_random(&state) % 8000;
        buffers[at] = kit_resize(buffers[at], sizes[at], size);
        sizes[at] = size;
    }
    kit_observe();
    for (size_t i = 0; i < BUFFERS; i++)
        kit_give(buffers[i], sizes[i]);
}
