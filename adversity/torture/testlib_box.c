/* SPDX-License-Identifier: MIT */
/* Boxes, through which blocks change hands. */
#include "adversity/torture/testlib.h"

enum { BOXES = 24 };

/* A box passes from EMPTY to FULL and back by way of BUSY, in which one thread alone has it. */
enum box_state { BOX_EMPTY, BOX_BUSY, BOX_FULL };

static struct box {
    _Atomic int state;
    struct block block;
} boxes[WORKERS_MAX][BOXES];

static bool box_enter(struct box *box, int from)
{
    return atomic_compare_exchange_strong_explicit(&box->state, &from, BOX_BUSY,
                                                   memory_order_acquire, memory_order_relaxed);
}

bool box_put(struct worker *worker, unsigned to, const struct block *block)
{
    unsigned start = torture_random(worker, BOXES);
    for (unsigned i = 0; i < BOXES; i++) {
        struct box *box = &boxes[to][(start + i) % BOXES];
        if (!box_enter(box, BOX_EMPTY))
            continue;
        box->block = *block;
        atomic_store_explicit(&box->state, BOX_FULL, memory_order_release);
        return true;
    }
    return false;
}

bool box_take(struct worker *worker, unsigned of, struct block *ret_block)
{
    unsigned start = torture_random(worker, BOXES);
    for (unsigned i = 0; i < BOXES; i++) {
        struct box *box = &boxes[of][(start + i) % BOXES];
        if (!box_enter(box, BOX_FULL))
            continue;
        *ret_block = box->block;
        atomic_store_explicit(&box->state, BOX_EMPTY, memory_order_release);
        return true;
    }
    return false;
}

void boxes_drain(struct worker *worker)
{
    struct block block;
    for (unsigned of = 0; of < torture_options.workers; of++)
        while (box_take(worker, of, &block))
            block_drop(worker, &block);
}
