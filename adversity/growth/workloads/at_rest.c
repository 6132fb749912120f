/* SPDX-License-Identifier: MIT */
#include "adversity/growth/workload.h"

/* A size and the one above it: whoever rounds up to classes shows it there. */
#define PAIR(size) {(size), 0}, {(size) + 1, 0}
static const struct room_row rows[] = {
    PAIR(16),   PAIR(32),   PAIR(64),   PAIR(128),   PAIR(256),   PAIR(512),    PAIR(1024),
    PAIR(2048), PAIR(4096), PAIR(8192), PAIR(16384), PAIR(32768), {64 << 10, 0}};

/* The blocks hold each other, so that nothing else takes room. */
WORKLOAD(at_rest, "blocks of one size, 16 MiB in all and each written to, and nothing freed",
         .kind = WORKLOAD_ROOM, .is_choice = true, .rows = rows,
         .row_count = sizeof rows / sizeof rows[0])
{
    void *last = NULL;
    for (size_t live = 0; live < 16 << 20; live += task->size) {
        void **block = growth_take(task->size);
        *block = last;
        last = block;
    }
}
