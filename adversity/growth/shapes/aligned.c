/* SPDX-License-Identifier: MIT */
#include "adversity/growth/shape.h"

SHAPE(aligned, "N blocks aligned to their size, then freed in random order", .kind = SHAPE_SCALING,
      .size_max = 1 << 20, .job.needs = NEEDS(aligned_alloc))
{
    void **blocks = kit_slots(task->count);
    kit_begin();
    for (size_t i = 0; i < task->count; i++)
        blocks[i] = calls.aligned_alloc(task->size, task->size);
    kit_end(task->count);
    kit_want(blocks[task->count - 1], "aligned_alloc", task->size);
    kit_shuffle(blocks, task->count);
    kit_begin();
    for (size_t i = 0; i < task->count; i++)
        calls.free(blocks[i]);
    kit_end(task->count);
}
