/* SPDX-License-Identifier: MIT */
/*
 * A trace dealt out to threads: the same ops in the same order, each made by a thread that the seed
 * chooses, with threads that end and start anew in between. What a correct allocator answers does
 * not depend on it.
 */
#ifndef MALLET_DEAL_H
#define MALLET_DEAL_H

#include "harness/trace/trace.h"

/* Ops that a deal of `count` ops may need. */
size_t deal_capacity(size_t count);
/* Fills ret_dealt, whose storage the caller brings. `thread` and `thread-exit` ops that the trace
 * has itself give way. */
void deal_trace(const struct trace *trace, unsigned seed, struct trace *ret_dealt);

#endif
