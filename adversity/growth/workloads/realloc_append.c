/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

WORKLOAD(realloc_append,
         "16 buffers that grow in turn by 1000 to 9000 bytes at a time, up to 512 KiB, then freed",
         .kind = WORKLOAD_FOOTPRINT, .rounds = 24, .job.needs = NEEDS(realloc))
{
    enum { BUFFERS = 16 };
    void *buffers[BUFFERS] = {NULL};
    size_t sizes[BUFFERS] = {0};
    uint32_t state = task->round;
    for (size_t step = 0; step < (size_t)BUFFERS * 100; step++) {
        size_t at = step % BUFFERS, size = sizes[at] + 1000 + growth_random(&state) % 8000;
        buffers[at] = growth_resize(buffers[at], sizes[at], size);
        sizes[at] = size;
    }
    growth_observe();
    for (size_t i = 0; i < BUFFERS; i++)
        growth_give(buffers[i], sizes[i]);
}
