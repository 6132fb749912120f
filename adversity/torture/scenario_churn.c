/* SPDX-License-Identifier: MIT */
/* Generations of threads. Each life leaves its blocks to the boxes of the others and frees some of
 * those of the generation before; what is left is freed by the main thread when all are gone. Then
 * nothing is live, and resident memory is noted. */
#include "adversity/torture/scenarios.h"

#include "adversity/torture/testlib.h"

enum { MADE = 40, SIZE_LIMIT = 24 << 10 };

static void live(struct worker *worker)
{
    struct block block, own = {0};
    for (unsigned i = 0; i < MADE; i++) {
        block_make(worker, &block, SIZE_LIMIT);
        if (i == MADE / 2)
            own = block;
        else if (!box_put(worker, torture_random(worker, workers_to_start()), &block))
            block_drop(worker, &block);
        if (i % 4 == 3 && box_take(worker, worker->id, &block))
            block_drop(worker, &block);
    }
    if (!box_put(worker, worker_main()->id, &own)) /* at least this one outlives its maker */
        block_drop(worker, &own);
}

void scenario_churn(void)
{
    while (!torture_is_over()) {
        workers_start(0, workers_to_start(), live);
        workers_join(0, workers_to_start());
        boxes_drain(worker_main());
        footprint_note();
    }
    footprint_judge(worker_main());
}
