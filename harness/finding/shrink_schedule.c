/* SPDX-License-Identifier: MIT */
#include "harness/finding/shrink_schedule.h"

#include "harness/run/team.h"

#include <string.h>

bool schedule_drop(struct trace *trace, uint32_t kinds)
{
    size_t kept = 0;
    for (size_t i = 0; i < trace->count; i++)
        if ((kinds >> trace->ops[i].kind & 1) == 0)
            trace->ops[kept++] = trace->ops[i];
    bool is_changed = kept < trace->count;
    trace->count = kept;
    return is_changed;
}

static bool names_thread(const struct trace_op *op)
{
    return (trace_op_traits(op->kind) & OP_PASSES_TOKEN) != 0;
}

/* Gives each thread the number that the table has for it. */
static bool rename_threads(struct trace *trace, const unsigned names[TEAM_SIZE])
{
    bool is_changed = false;
    for (size_t i = 0; i < trace->count; i++) {
        struct trace_op *op = &trace->ops[i];
        if (!names_thread(op) || op->extra == names[op->extra % TEAM_SIZE])
            continue;
        op->extra = names[op->extra % TEAM_SIZE];
        is_changed = true;
    }
    return is_changed;
}

bool schedule_renumber(struct trace *trace)
{
    unsigned names[TEAM_SIZE] = {0}, next = 1;
    for (size_t i = 0; i < trace->count; i++) {
        unsigned member = (unsigned)(trace->ops[i].extra % TEAM_SIZE);
        if (names_thread(&trace->ops[i]) && member != 0 && names[member] == 0)
            names[member] = next++;
    }
    return rename_threads(trace, names);
}

bool schedule_merge(struct trace *trace, unsigned from, unsigned into)
{
    unsigned names[TEAM_SIZE];
    for (unsigned i = 0; i < TEAM_SIZE; i++)
        names[i] = i == from ? into : i;
    return rename_threads(trace, names);
}

bool schedule_move_fault(struct trace *trace, size_t from, size_t to)
{
    if (trace->ops[from].kind != OP_FAIL_OS || to <= from || to > trace->count)
        return false;
    struct trace_op op = trace->ops[from];
    memmove(trace->ops + from, trace->ops + from + 1, (to - from - 1) * sizeof op);
    op.extra = 1;
    trace->ops[to - 1] = op;
    return true;
}
