/* SPDX-License-Identifier: MIT */
/*
 * The seed alone decides which thread makes which op, so that a deal replays: the generator is part
 * of this file, and nothing else is random.
 */
#include "mallet/deal.h"

#include "harness/base/random.h"

enum { THREADS = 4, EXIT_ONE_IN = 16, OPS_EACH = 3 /* thread-exit, thread, the op */ };

/* A number that depends on all bits of both. */
static uint64_t choose(unsigned seed, size_t i)
{
    return random_mix(((uint64_t)seed << 32 | i) * 0x9E3779B97F4A7C15);
}

size_t deal_capacity(size_t count)
{
    return count * OPS_EACH;
}

static void add(struct trace *dealt, struct trace_op op)
{
    dealt->ops[dealt->count++] = op;
}

void deal_trace(const struct trace *trace, unsigned seed, struct trace *ret_dealt)
{
    unsigned current = 0;
    ret_dealt->count = 0;
    for (size_t i = 0; i < trace->count; i++) {
        uint64_t choice = choose(seed, i);
        unsigned next = (unsigned)(choice % THREADS);
        if (trace_op_traits(trace->ops[i].kind) & OP_PASSES_TOKEN)
            continue;
        if (next != current && current != 0 && (choice >> 32) % EXIT_ONE_IN == 0)
            add(ret_dealt, (struct trace_op){.kind = OP_THREAD_EXIT, .extra = current});
        if (next != current)
            add(ret_dealt, (struct trace_op){.kind = OP_THREAD, .extra = next});
        current = next;
        add(ret_dealt, trace->ops[i]);
    }
}
