/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

/* Each pair comes round after three rounds. */
WORKLOAD(realloc_pairs,
         "blocks of 16 bytes to 20 MiB made larger and smaller by realloc, and freed",
         .kind = WORKLOAD_FOOTPRINT, .rounds = 60, .job.needs = NEEDS(realloc))
{
    static const size_t sizes[] = {16,      1 << 10, 16 << 10, 200 << 10,
                                   1 << 20, 3 << 20, 8 << 20,  20 << 20};
    enum { PARTS = 3 };
    const size_t count = sizeof sizes / sizeof sizes[0];
    for (size_t pair = task->round % PARTS; pair < count * count; pair += PARTS) {
        size_t from = sizes[pair / count], to = sizes[pair % count];
        growth_give(growth_resize(growth_take(from), from, to), to);
    }
}
