/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: as fuzz_trace, but every input has a refused OS call, and runs again without it
 * afterwards: a refusal must have no lasting effect. An input that has no `fail-os` of
 * its own gets one, at a place that depends on its bytes alone.
 */
#include "fuzz/target.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FAIL_WITHIN = 8 /* OS calls */ };

static bool has_fault(const struct trace *trace)
{
    size_t i = 0;
    while (i < trace->count && trace->ops[i].kind != OP_FAIL_OS)
        i++;
    return i < trace->count;
}

static void put_fault(struct trace *trace, uint64_t hash)
{
    if (has_fault(trace) || trace->count == trace->capacity)
        return;
    size_t at = (size_t)(hash % (trace->count + 1));
    memmove(trace->ops + at + 1, trace->ops + at, (trace->count - at) * sizeof *trace->ops);
    trace->ops[at] = (struct trace_op){.kind = OP_FAIL_OS, .extra = 1 + (hash >> 32) % FAIL_WITHIN};
    trace->count++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    target_run(data, size, &(const struct target_mode){.prepare = put_fault, .recovery = 1});
    return 0;
}
