/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

/* A cost that grows with what was freed long ago, as records that stay, shows here only. An
 * allocator that never uses an address twice has enough of them for blocks of a MiB. */
WORKLOAD(pairs, "one block allocated and freed N times over, with no other",
         .kind = WORKLOAD_SCALING, .size_max = 1 << 20, .bytes_max = WORKLOAD_ONE_BLOCK)
{
    calls.free(growth_want(calls.malloc(task->size), "malloc", task->size));
    growth_begin();
    for (size_t i = 0; i < task->count; i++)
        calls.free(calls.malloc(task->size));
    growth_end(task->count);
}
