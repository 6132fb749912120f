/* SPDX-License-Identifier: MIT */
/* One thread trims without pause, another asks for the usable size of its blocks, the rest hand
 * blocks about. */
#include "adversity/torture/roles.h"
#include "adversity/torture/scenarios.h"

enum { ASKED = 8 };

void role_trim(struct worker *worker)
{
    struct block blocks[ASKED];
    for (unsigned i = 0; i < ASKED; i++)
        block_make(worker, &blocks[i], 1 << 16);
    while (!torture_is_over()) {
        unsigned i = torture_random(worker, ASKED);
        block_ask_usable(worker, &blocks[i]);
        if (calls.malloc_trim != NULL && torture_random(worker, 50) == 0) {
            call_begins(worker, IN_malloc_trim);
            calls.malloc_trim(0);
            call_ends(worker);
            block_drop(worker, &blocks[i]);
            block_make(worker, &blocks[i], 1 << 16);
        }
    }
    for (unsigned i = 0; i < ASKED; i++)
        block_drop(worker, &blocks[i]);
}

void scenario_trim(void)
{
    workers_start(0, 2, role_trim);
    workers_start(2, workers_to_start() - 2, role_handoff);
    workers_join(0, workers_to_start());
    boxes_drain(worker_main());
}
