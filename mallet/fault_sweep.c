/* SPDX-License-Identifier: MIT */
/*
 * The base trace is run once, to count the OS calls of each op. Then each fault, or pair of faults,
 * is a copy of the base trace with `fail-os` ops inserted, bounded in number and by time.
 */
#include "mallet/fault_sweep.h"

#include "harness/trace/trace_slots.h"

#include <stdlib.h>
#include <string.h>

enum { FAULTS_MAX = 4096 /* replays of one trace, unless asked otherwise */ };

struct sweep {
    struct fault_sweep *report;
    fault_runner run;
    void *context;
    struct trace base, faulty; /* storage of our own */
    uint16_t *os_calls;        /* for each op of base, when none fails */
};

/* fail-os ops of its own would make others of ours; and a free must be an op for its OS calls to
 * have a place. */
static bool make_base(struct sweep *sweep, const struct trace *trace)
{
    struct slot_set *live = calloc(1, sizeof *live);
    sweep->base = (struct trace){.ops = calloc(2 * trace->count + 2, sizeof(struct trace_op)),
                                 .capacity = 2 * trace->count};
    sweep->faulty = (struct trace){.ops = calloc(2 * trace->count + 4, sizeof(struct trace_op)),
                                   .capacity = 2 * trace->count + 2};
    sweep->os_calls = calloc(2 * trace->count + 2, sizeof *sweep->os_calls);
    bool is_made = live != NULL && sweep->base.ops != NULL && sweep->faulty.ops != NULL &&
                   sweep->os_calls != NULL;
    for (size_t i = 0; is_made && i < trace->count; i++) {
        if (trace->ops[i].kind == OP_FAIL_OS)
            continue;
        sweep->base.ops[sweep->base.count++] = trace->ops[i];
        slot_set_apply(live, &trace->ops[i]);
    }
    while (is_made && live->count > 0) {
        struct trace_op op = {.kind = OP_FREE, .slot = slot_set_next_live(live, 0)};
        slot_set_apply(live, &op);
        sweep->base.ops[sweep->base.count++] = op;
    }
    free(live);
    return is_made;
}

static int run_base(struct sweep *sweep)
{
    struct execution execution;
    int status = sweep->run(sweep->context, &sweep->base, true, &execution);
    if (status != 0)
        return status;
    if (!execution.is_clean)
        return SWEEP_BASE_FAILED;
    if (!execution.is_watched)
        return SWEEP_NOT_WATCHED;
    for (size_t i = 0; i < sweep->base.count; i++) {
        sweep->os_calls[i] = execution.outcomes[i].os_calls;
        sweep->report->os_calls += sweep->os_calls[i];
    }
    return SWEEP_DONE;
}

/* The base with the nth OS call of op `at` failing, and the one `gap` after it unless that is 0. */
static void make_faulty(struct sweep *sweep, size_t at, unsigned nth, unsigned gap)
{
    struct trace_op *ops = sweep->faulty.ops;
    memcpy(ops, sweep->base.ops, at * sizeof *ops);
    size_t count = at;
    ops[count++] = (struct trace_op){.kind = OP_FAIL_OS, .extra = nth};
    if (gap != 0)
        ops[count++] = (struct trace_op){.kind = OP_FAIL_OS, .extra = gap};
    memcpy(ops + count, sweep->base.ops + at, (sweep->base.count - at) * sizeof *ops);
    sweep->faulty.count = sweep->base.count + (count - at);
}

static bool is_spent(const struct sweep *sweep)
{
    const struct fault_sweep *report = sweep->report;
    return report->faults == (report->faults_max != 0 ? report->faults_max : FAULTS_MAX) ||
           report->is_over(sweep->context);
}

static int run_fault(struct sweep *sweep, size_t at, unsigned nth, unsigned gap,
                     unsigned *ret_failed)
{
    struct execution execution;
    if (is_spent(sweep)) {
        sweep->report->left_out++;
        *ret_failed = 0;
        return 0;
    }
    make_faulty(sweep, at, nth, gap);
    int status = sweep->run(sweep->context, &sweep->faulty, false, &execution);
    sweep->report->faults++;
    for (unsigned i = 0; i < OS_CALL_COUNT && status == 0; i++)
        sweep->report->failed[i] += execution.os_calls.failed_calls[i];
    *ret_failed = execution.os_calls.failed;
    return status;
}

/* The call alone, or with each later one in turn: after a failure there may be more or fewer calls
 * than without, so until none is left to fail. */
static int run_faults_of_call(struct sweep *sweep, size_t at, unsigned nth)
{
    unsigned failed = 2;
    if (!sweep->report->has_pairs)
        return run_fault(sweep, at, nth, 0, &failed);
    int status = 0;
    for (unsigned gap = 1; failed == 2 && status == 0 && gap <= UINT16_MAX; gap++)
        status = run_fault(sweep, at, nth, gap, &failed);
    return status;
}

static int run_all(struct sweep *sweep)
{
    size_t number = 0;
    int status = run_base(sweep);
    for (size_t at = 0; at < sweep->base.count && status == 0; at++)
        for (unsigned nth = 1; nth <= sweep->os_calls[at] && status == 0; nth++)
            if (++number == sweep->report->only || sweep->report->only == 0)
                status = run_faults_of_call(sweep, at, nth);
    return status;
}

int fault_sweep_run(struct fault_sweep *sweep, const struct trace *trace, fault_runner run,
                    void *context)
{
    struct sweep state = {.report = sweep, .run = run, .context = context};
    int status = make_base(&state, trace) ? run_all(&state) : SWEEP_NO_MEMORY;
    free(state.base.ops);
    free(state.faulty.ops);
    free(state.os_calls);
    return status;
}
