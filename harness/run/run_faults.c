/* SPDX-License-Identifier: MIT */
/*
 * OS calls that fail on demand. In a process that is watched (os_calls.h) each failure is seen when
 * it happens, so that only the very call in which the system refused memory may return NULL; what
 * fails later, without cause, has not recovered. Where the subject's own hook is all there is,
 * nobody tells when it fires: NULL is then no surprise for the rest of the cycle.
 *
 * A `fail-os` while an earlier one is pending counts from where that one fires: two in a row fail a
 * pair of calls.
 */
#include "harness/run/run_internal.h"

struct os_call_counts run_os_calls(const struct run *run)
{
    return run->faults.first_cycle;
}

void faults_begin(struct run *run)
{
    run->faults = (struct faults){.is_watching = os_calls_are_watched()};
    if (run->faults.is_watching)
        run->faults.start = os_calls_count();
}

void faults_begin_cycle(struct run *run)
{
    run->faults.is_armed = run->faults.is_in_last_call = false;
}

static void take_first_cycle(struct run *run)
{
    struct os_call_counts *counts = &run->faults.first_cycle, *start = &run->faults.start;
    *counts = os_calls_count();
    for (unsigned i = 0; i < OS_CALL_COUNT; i++) {
        counts->calls[i] -= start->calls[i];
        counts->failed_calls[i] -= start->failed_calls[i];
    }
    counts->all -= start->all;
    counts->failed -= start->failed;
}

void faults_end_cycle(struct run *run)
{
    run->faults.is_armed = false;
    if (run->faults.is_watching) {
        os_calls_fail(0, 0);
        if (run->round == 0)
            take_first_cycle(run);
    } else if (run->subject->fail_os != NULL) {
        run->subject->fail_os(0);
    }
}

void faults_begin_op(struct run *run)
{
    run->faults.is_in_last_call = false;
    run->faults.calls = os_calls_all();
}

void faults_end_op(struct run *run)
{
    if (run->round != 0 || run->report->outcomes == NULL)
        return;
    uint32_t calls = os_calls_all() - run->faults.calls;
    run->report->outcomes[run->op].os_calls = calls < UINT16_MAX ? (uint16_t)calls : UINT16_MAX;
}

void faults_arm(struct run *run, const struct trace_op *op)
{
    unsigned nth = (unsigned)op->extra;
    if (run->faults.is_recovering)
        return;
    if (run->faults.is_watching) {
        os_calls_add(nth);
        return;
    }
    if (run->subject->fail_os == NULL)
        return;
    run->subject->fail_os(nth);
    run->faults.is_armed = nth != 0;
    run->faults.has_failed |= nth != 0;
}

void faults_enter(struct run *run)
{
    if (run->report->progress != NULL)
        run->report->progress->os_failures.last = 0;
    run->faults.failed = os_calls_all_failed();
    os_calls_enter();
}

void faults_leave(struct run *run)
{
    os_calls_leave();
    run->faults.is_in_last_call = os_calls_all_failed() != run->faults.failed;
    run->faults.has_failed |= run->faults.is_in_last_call;
}

/* Everything was freed: the same again, and this time the system refuses nothing. */
bool run_recovery(struct run *run)
{
    if (!run->options->recovery || !run->faults.has_failed)
        return true;
    run->faults.is_recovering = true;
    run_evaluate(run, CHECK_RECOVERY);
    bool is_clean = run_cycle(run);
    run->faults.is_recovering = false;
    return is_clean;
}
