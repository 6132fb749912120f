/* SPDX-License-Identifier: MIT */
#include "adversity/growth/shape.h"

SHAPE(fill_fifo, "N blocks allocated, then freed first first", .kind = SHAPE_SCALING,
      .size_max = 64 << 20)
{
    void **blocks = kit_slots(task->count);
    kit_begin();
    for (size_t i = 0; i < task->count; i++)
        blocks[i] = calls.malloc(task->size);
    kit_end(task->count);
    kit_want(blocks[task->count - 1], "malloc", task->size);
    kit_begin();
    for (size_t i = 0; i < task->count; i++)
        calls.free(blocks[i]);
    kit_end(task->count);
}
