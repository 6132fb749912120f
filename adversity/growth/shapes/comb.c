/* SPDX-License-Identifier: MIT */
#include "adversity/growth/shape.h"

/* Sizes differ from round to round: what was freed must serve requests that it does not fit
 * exactly. */
SHAPE(comb,
      "blocks of one size, every second one freed, the room asked for again in blocks of twice the "
      "size; another size each round",
      .kind = SHAPE_FOOTPRINT, .rounds = 48)
{
    enum { TEETH_MAX = 40000 };
    static void *teeth[TEETH_MAX], *wide[TEETH_MAX / 4];
    size_t size = 224 + 80 * task->round, count = (8 << 20) / size;
    for (size_t i = 0; i < count; i++)
        teeth[i] = kit_take(size);
    for (size_t i = 0; i < count; i += 2)
        kit_give(teeth[i], size);
    for (size_t i = 0; i < count / 4; i++)
        wide[i] = kit_take(2 * size);
    kit_observe();
    for (size_t i = 1; i < count; i += 2)
        kit_give(teeth[i], size);
    for (size_t i = 0; i < count / 4; i++)
        kit_give(wide[i], 2 * size);
}
