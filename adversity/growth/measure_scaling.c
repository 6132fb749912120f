/* SPDX-License-Identifier: MIT */
/*
 * The cost of what a workload puts between growth_begin and growth_end. A process runs several
 * passes: the best counts for time, since whatever else runs on the machine only adds to it; the
 * last for OS calls, since the first ones legitimately ask for memory.
 */
#include "adversity/growth/workload.h"
#include "harness/run/os_calls.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PASSES = 3, PASSES_COUNTING = 2 };
#define PASS_LONG_NS UINT64_C(40000000) /* one such pass is exact enough */

struct cost {
    uint64_t operations, cpu_ns, instructions, os_calls;
};

static struct {
    int instructions; /* descriptor; -1: not counted here */
    struct cost pass, start;
    uint64_t windows; /* of this pass */
} meter;

static uint64_t read_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t read_instructions(void)
{
    uint64_t count = 0;
    return meter.instructions >= 0 && read(meter.instructions, &count, sizeof count) == sizeof count
               ? count
               : 0;
}

static void open_instructions(void)
{
    struct perf_event_attr event = {.type = PERF_TYPE_HARDWARE,
                                    .size = sizeof event,
                                    .config = PERF_COUNT_HW_INSTRUCTIONS,
                                    .exclude_kernel = 1,
                                    .exclude_hv = 1};
    meter.instructions = (int)syscall(SYS_perf_event_open, &event, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

void growth_begin(void)
{
    meter.start = (struct cost){.os_calls = os_calls_count().all,
                                .instructions = read_instructions(),
                                .cpu_ns = read_cpu_ns()};
    os_calls_enter();
}

static void note_worst(uint64_t operations, uint64_t os_calls)
{
    if (os_calls * growth_report->worst_operations > growth_report->worst_calls * operations ||
        growth_report->worst_operations == 0) {
        growth_report->worst_calls = os_calls;
        growth_report->worst_operations = operations;
        growth_report->worst_window = meter.windows;
    }
}

void growth_end(size_t operations)
{
    os_calls_leave();
    uint64_t cpu_ns = read_cpu_ns() - meter.start.cpu_ns,
             instructions = read_instructions() - meter.start.instructions;
    uint64_t os_calls = os_calls_count().all - meter.start.os_calls;
    meter.pass.operations += operations;
    meter.pass.cpu_ns += cpu_ns;
    meter.pass.instructions += instructions;
    meter.pass.os_calls += os_calls;
    note_worst(operations, os_calls);
    meter.windows++;
}

static void keep_best(const struct cost *pass)
{
    struct growth_report *report = growth_report;
    if (report->operations == 0 || pass->cpu_ns < report->cpu_ns)
        report->cpu_ns = pass->cpu_ns;
    if (report->operations == 0 || pass->instructions < report->instructions)
        report->instructions = pass->instructions;
    report->operations = pass->operations;
    report->os_calls = pass->os_calls;
}

void measure_scaling(const struct workload *workload, size_t count, size_t size, bool is_counting)
{
    open_instructions();
    growth_report->has_os_calls = is_counting && os_calls_watch() == 0;
    for (unsigned pass = 0; pass < (is_counting ? PASSES_COUNTING : PASSES); pass++) {
        growth_report->round = pass;
        growth_report->worst_operations = growth_report->worst_calls = meter.windows = 0;
        meter.pass = (struct cost){0};
        workload->do_round(&(struct task){.round = pass, .count = count, .size = size});
        keep_best(&meter.pass);
        if (!is_counting && meter.pass.cpu_ns > PASS_LONG_NS)
            break;
    }
    growth_report->is_done = 1;
}
