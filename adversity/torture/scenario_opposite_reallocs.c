/* SPDX-License-Identifier: MIT */
/* Pairs of threads. Each resizes a block that the other one made, at the same time: whoever locks
 * two places at once may do it in opposite orders. After some resizes the blocks change hands. */
#include "adversity/torture/scenarios.h"

#include "adversity/torture/testlib.h"

enum { RESIZES = 24, SMALL = 600, LARGE = 300000 };

static void exchange(struct worker *worker, struct block *block)
{
    struct block received;
    if (block->address != NULL &&
        !box_put(worker, (worker->id ^ 1) % torture_options.workers, block))
        block_drop(worker, block);
    if (box_take(worker, worker->id, &received))
        *block = received;
    else
        block_make(worker, block, SMALL);
}

static void resize_for_other(struct worker *worker)
{
    struct block block = {0};
    while (!torture_is_over()) {
        exchange(worker, &block);
        /* up to here it may well stay where its maker put it */
        uint32_t made = (uint32_t)block.size;
        if (made == 0)
            continue; /* refused */
        for (unsigned i = 0; i < RESIZES; i++)
            block_resize(worker, &block, 1 + torture_random(worker, made));
        block_resize(worker, &block,
                     1 + torture_random(worker, torture_random(worker, 20) == 0 ? LARGE : SMALL));
    }
    block_drop(worker, &block);
}

void scenario_opposite_reallocs(void)
{
    workers_start(0, workers_to_start(), resize_for_other);
    workers_join(0, workers_to_start());
    boxes_drain(worker_main());
}
