/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

#include <time.h>

/* Wherever an allocator asks the system for more, it must not give it back at once; but one may
 * give everything back when its last block is freed. */
WORKLOAD(boundary,
         "one block allocated and freed 1024 times over, at each number of live blocks from 1 to "
         "N, for two seconds at most",
         .kind = WORKLOAD_OS_CALLS, .size_max = 16 << 10)
{
    const clock_t end = clock() + 2 * CLOCKS_PER_SEC; /* a subject may ask the system each time */
    size_t live = 0;
    enum { TIMES = 1024 }; /* musl does so a hundred times, then sees that it does not pay */
    void **blocks = growth_slots(task->count);
    for (; live < task->count && clock() < end; live++) {
        blocks[live] = growth_want(calls.malloc(task->size), "malloc", task->size);
        calls.free(growth_want(calls.malloc(task->size), "malloc", task->size));
        growth_begin();
        for (size_t j = 0; j < TIMES; j++)
            calls.free(calls.malloc(task->size));
        growth_end(TIMES);
    }
    for (size_t i = 0; i < live; i++)
        calls.free(blocks[i]);
}
