/* SPDX-License-Identifier: MIT */
/* Worker 0 never allocates: it frees what the others put into its boxes. Now and then all come to
 * rest, and resident memory is noted. */
#include "adversity/torture/scenarios.h"

#include "adversity/torture/testlib.h"

enum { BATCH = 300, SIZE_LIMIT = 24 << 10 };

static _Atomic unsigned producing;

static void produce(struct worker *worker)
{
    struct block block;
    for (unsigned i = 0; i < BATCH && !torture_is_over(); i++) {
        block_make(worker, &block, SIZE_LIMIT);
        while (!box_put(worker, 0, &block))
            sched_yield();
    }
    atomic_fetch_sub(&producing, 1);
}

static void only_free(struct worker *worker)
{
    struct block block;
    for (;;) {
        bool is_last_look = atomic_load(&producing) == 0;
        while (box_take(worker, 0, &block))
            block_drop(worker, &block);
        if (is_last_look)
            return;
        sched_yield();
    }
}

/* The freeing thread lives as long as the process: it starts first and waits for batches. */
static _Atomic unsigned batches_made, batches_freed;

static void free_for_ever(struct worker *worker)
{
    while (!torture_is_over() || atomic_load(&batches_made) > atomic_load(&batches_freed)) {
        if (atomic_load(&batches_made) == atomic_load(&batches_freed)) {
            usleep(100);
            continue;
        }
        only_free(worker);
        atomic_fetch_add(&batches_freed, 1);
    }
}

void scenario_free_only(void)
{
    unsigned producers = workers_to_start() - 1;
    workers_start(0, 1, free_for_ever);
    while (!torture_is_over()) {
        atomic_store(&producing, producers);
        atomic_fetch_add(&batches_made, 1);
        unsigned missing = producers - workers_start(1, producers, produce);
        atomic_fetch_sub(&producing, missing);
        workers_join(1, producers);
        while (atomic_load(&batches_made) != atomic_load(&batches_freed))
            usleep(100);
        footprint_note();
    }
    workers_join(0, 1);
    footprint_judge(worker_main());
}
