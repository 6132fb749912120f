/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

/* Wherever an allocator asks the system for more, it must not give it back at once; but one may
 * give everything back when its last block is freed. */
WORKLOAD(boundary,
         "one block allocated and freed 1024 times over, at each number of live blocks from 1 to N",
         .kind = WORKLOAD_OS_CALLS, .size_max = 16 << 10)
{
    enum { TIMES = 1024 }; /* musl does so a hundred times, then sees that it does not pay */
    void **blocks = growth_slots(task->count);
    for (size_t i = 0; i < task->count; i++) {
        blocks[i] = growth_want(calls.malloc(task->size), "malloc", task->size);
        calls.free(growth_want(calls.malloc(task->size), "malloc", task->size));
        growth_begin();
        for (size_t j = 0; j < TIMES; j++)
            calls.free(calls.malloc(task->size));
        growth_end(TIMES);
    }
    for (size_t i = 0; i < task->count; i++)
        calls.free(blocks[i]);
}
