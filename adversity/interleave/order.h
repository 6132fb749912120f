/* SPDX-License-Identifier: MIT */
/* What atomics make known to whom: acquire and release, release sequences, and fences, as C11 has
 * them. */
#ifndef INTERLEAVE_ORDER_H
#define INTERLEAVE_ORDER_H

#include "schedule.h"

/* order: a memory_order. */
void order_after_read(const struct place *place, int order);
void order_before_write(struct place *place, int order, bool is_exchange);
void order_fence(int order);

#endif
