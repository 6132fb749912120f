/* SPDX-License-Identifier: MIT */
/* Smaller schedules for shrink.c: fewer threads, forks and failures. Each changes a trace in place
 * and says whether it did. */
#ifndef HARNESS_SHRINK_SCHEDULE_H
#define HARNESS_SHRINK_SCHEDULE_H

#include "harness/trace/trace.h"

/* Drops all ops of some kinds, bit per enum op_kind. */
bool schedule_drop(struct trace *trace, uint32_t kinds);
/* Numbers threads other than 0 from 1 on, as they appear. */
bool schedule_renumber(struct trace *trace);
/* Of the threads two become one. */
bool schedule_merge(struct trace *trace, unsigned from, unsigned into);
/* Moves the fail-os at `from` to just before op `to`, which is behind it, to fail the first OS call
 * from there on. */
bool schedule_move_fault(struct trace *trace, size_t from, size_t to);

#endif
