/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

/* From each size to each other one. */
#define FROM(from)                                                                             \
    {(from), 16}, {(from), 4 << 10}, {(from), 64 << 10}, {(from), 1 << 20}, {(from), 3 << 20}, \
        {(from), 16 << 20}, {(from), 64 << 20}, {(from), 256 << 20}
static const struct room_row rows[] = {FROM(16),       FROM(4 << 10),  FROM(64 << 10),
                                       FROM(1 << 20),  FROM(3 << 20),  FROM(16 << 20),
                                       FROM(64 << 20), FROM(256 << 20)};

/* At least two: what is kept of one may be there to serve the next. */
WORKLOAD(realloc_room, "blocks of one size, each written to and made another size by realloc",
         .kind = WORKLOAD_ROOM, .is_choice = true, .rows = rows,
         .row_count = sizeof rows / sizeof rows[0], .job.needs = NEEDS(realloc))
{
    size_t larger = task->size > task->count ? task->size : task->count;
    for (unsigned i = 0; i < (larger < 64 << 20 ? 4 : 2); i++)
        growth_resize(growth_take(task->size), task->size, task->count);
}
