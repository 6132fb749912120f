/* SPDX-License-Identifier: MIT */
/*
 * A place carries the clock of its last release. A relaxed store ends that, because a reader now
 * reads another value; a read-modify-write continues it. Consume is treated as acquire, as
 * compilers do. Sequential consistency adds nothing here: steps are in one order anyway.
 */
#include "order.h"

#include <stdatomic.h>

static struct clock read_before_fence[THREADS_MAX], released_by_fence[THREADS_MAX];

static bool is_acquire(int order)
{
    return order != memory_order_relaxed && order != memory_order_release;
}

static bool is_release(int order)
{
    return order == memory_order_release || order == memory_order_acq_rel ||
           order == memory_order_seq_cst;
}

void order_after_read(const struct place *place, int order)
{
    clock_join(is_acquire(order) ? schedule_clock() : &read_before_fence[schedule_self()],
               &place->released);
}

void order_before_write(struct place *place, int order, bool is_exchange)
{
    unsigned self = schedule_self();
    if (!is_exchange)
        place->released = (struct clock){0};
    clock_join(&place->released, is_release(order) ? schedule_clock() : &released_by_fence[self]);
    if (is_release(order))
        schedule_clock()->of[self]++;
}

void order_fence(int order)
{
    unsigned self = schedule_self();
    if (is_acquire(order))
        clock_join(schedule_clock(), &read_before_fence[self]);
    if (is_release(order)) {
        released_by_fence[self] = *schedule_clock();
        schedule_clock()->of[self]++;
    }
}
