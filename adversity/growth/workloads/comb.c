/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

/* Sizes differ from round to round: what was freed must serve requests that it does not fit
 * exactly. */
WORKLOAD(
    comb,
    "blocks of one size, every second one freed, the room asked for again in blocks of twice the "
    "size; another size each round",
    .kind = WORKLOAD_FOOTPRINT, .rounds = 48)
{
    enum { TEETH_MAX = 40000 };
    static void *teeth[TEETH_MAX], *wide[TEETH_MAX / 4];
    growth_report->has_new_sizes = 1;
    size_t size = 224 + 80 * task->round, count = (8 << 20) / size;
    for (size_t i = 0; i < count; i++)
        teeth[i] = growth_take(size);
    for (size_t i = 0; i < count; i += 2)
        growth_give(teeth[i], size);
    for (size_t i = 0; i < count / 4; i++)
        wide[i] = growth_take(2 * size);
    growth_observe();
    for (size_t i = 1; i < count; i += 2)
        growth_give(teeth[i], size);
    for (size_t i = 0; i < count / 4; i++)
        growth_give(wide[i], 2 * size);
}
