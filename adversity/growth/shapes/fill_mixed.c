/* SPDX-License-Identifier: MIT */
#include "adversity/growth/shape.h"

SHAPE(fill_mixed, "N blocks of differing sizes, freed in random order", .kind = SHAPE_SCALING,
      .size_max = 16 << 20)
{
    void **blocks = kit_slots(task->count);
    uint32_t state = 1;
    kit_begin();
    for (size_t i = 0; i < task->count; i++)
        blocks[i] = calls.malloc(task->size + kit_random(&state) % task->size);
    kit_end(task->count);
    kit_want(blocks[task->count - 1], "malloc", task->size);
    kit_shuffle(blocks, task->count);
    kit_begin();
    for (size_t i = 0; i < task->count; i++)
        calls.free(blocks[i]);
    kit_end(task->count);
}
