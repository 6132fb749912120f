/* SPDX-License-Identifier: MIT */
/* Threads wait at a gate and then make their first calls at once, each another function or size.
 * What pthread_create itself takes from the heap comes before; where the subject has a prefix, or
 * is opened late, these are the first calls of all. */
#include "adversity/torture/scenarios.h"

#include "adversity/torture/testlib.h"

enum { FIRST_BLOCKS = 24, SIZE_LIMIT = 1 << 20 };

static _Atomic unsigned waiting;

static void first_call(struct worker *worker)
{
    struct block blocks[FIRST_BLOCKS];
    atomic_fetch_sub(&waiting, 1);
    while (atomic_load(&waiting) != 0)
        sched_yield();
    for (unsigned i = 0; i < FIRST_BLOCKS; i++)
        block_make(worker, &blocks[i], SIZE_LIMIT);
    for (unsigned i = 0; i < FIRST_BLOCKS; i++)
        block_drop(worker, &blocks[i]);
}

void scenario_first_call(void)
{
    atomic_store(&waiting, workers_to_start());
    unsigned missing = workers_to_start() - workers_start(0, workers_to_start(), first_call);
    atomic_fetch_sub(&waiting, missing);
    workers_join(0, workers_to_start());
}
