/* SPDX-License-Identifier: MIT */
#include "adversity/growth/shape.h"

SHAPE(zeroed, "N zeroed blocks, then freed in the order of allocation", .kind = SHAPE_SCALING,
      .size_max = 16 << 10, .bytes_max = 64 << 20, .job.needs = NEEDS(calloc))
{
    void **blocks = kit_slots(task->count);
    kit_begin();
    for (size_t i = 0; i < task->count; i++)
        blocks[i] = calls.calloc(1, task->size);
    kit_end(task->count);
    kit_want(blocks[task->count - 1], "calloc", task->size);
    kit_begin();
    for (size_t i = 0; i < task->count; i++)
        calls.free(blocks[i]);
    kit_end(task->count);
}
