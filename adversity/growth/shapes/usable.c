/* SPDX-License-Identifier: MIT */
#include "adversity/growth/shape.h"

SHAPE(usable, "malloc_usable_size of each of N live blocks", .kind = SHAPE_SCALING,
      .size_max = 1 << 20, .job.needs = NEEDS(malloc_usable_size))
{
    void **blocks = kit_slots(task->count);
    for (size_t i = 0; i < task->count; i++)
        blocks[i] = calls.malloc(task->size);
    kit_want(blocks[task->count - 1], "malloc", task->size);
    kit_begin();
    for (size_t i = 0; i < task->count; i++)
        calls.malloc_usable_size(blocks[i]);
    kit_end(task->count);
    for (size_t i = 0; i < task->count; i++)
        calls.free(blocks[i]);
}
