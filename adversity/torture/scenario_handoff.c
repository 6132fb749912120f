/* SPDX-License-Identifier: MIT */
/* Every thread makes blocks and gives them away; what it finds in its own boxes it checks, resizes,
 * frees or keeps. */
#include "adversity/torture/roles.h"
#include "adversity/torture/scenarios.h"

enum { HELD = 24, SIZE_LIMIT = 1 << 20 };

static void give_away(struct worker *worker, struct block *block)
{
    if (box_put(worker, torture_random(worker, torture_options.workers), block))
        block->address = NULL;
    else
        block_drop(worker, block);
}

static void receive(struct worker *worker, struct block *place)
{
    struct block received;
    if (!box_take(worker, worker->id, &received))
        return;
    block_check(worker, &received, "on receipt");
    if (torture_random(worker, 3) == 0)
        block_resize(worker, &received, random_size(worker, SIZE_LIMIT));
    block_drop(worker, place);
    *place = received;
}

static void do_steps(struct worker *worker, unsigned steps)
{
    struct block held[HELD] = {0};
    for (unsigned step = 0; steps != 0 ? step < steps : !torture_is_over(); step++) {
        struct block *block = &held[torture_random(worker, HELD)];
        uint32_t what = torture_random(worker, 8);
        if (block->address == NULL)
            block_make(worker, block, SIZE_LIMIT);
        else if (what < 3)
            give_away(worker, block);
        else if (what < 6)
            receive(worker, block);
        else if (what < 7)
            block_resize(worker, block, random_size(worker, SIZE_LIMIT));
        else
            block_drop(worker, block);
    }
    for (unsigned i = 0; i < HELD; i++)
        block_drop(worker, &held[i]);
}

void role_handoff(struct worker *worker)
{
    do_steps(worker, 0);
}

void role_handoff_steps(struct worker *worker, unsigned steps)
{
    do_steps(worker, steps);
}

void scenario_handoff(void)
{
    workers_start(0, workers_to_start(), role_handoff);
    workers_join(0, workers_to_start());
    boxes_drain(worker_main());
}
