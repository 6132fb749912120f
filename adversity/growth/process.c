/* SPDX-License-Identifier: MIT */
/* One process at a time. A hang ends by its own CPU limit; a stall is looked for by what its
 * threads do, since no clock shows one. */
#include "adversity/growth/process.h"

#include "harness/base/text.h"
#include "harness/job/child.h"
#include "harness/job/job_spawn.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>

static uint64_t read_position(const struct process *process)
{
    const struct growth_report *report = job_report(process);
    return report->round + report->sample_count + report->seconds_passed + report->calls;
}

static unsigned cpu_seconds(const struct growth_order *order)
{
    return order->cpu_seconds != 0 ? order->cpu_seconds : GROWTH_CPU_SECONDS;
}

/* The first and the latest look since then: both zero if it has just moved. */
static unsigned count_idle_seconds(const struct stall *stall)
{
    return (unsigned)((stall->now.cpu_us - stall->first.cpu_us) / 1000000);
}

static int start(const struct subject_plan *subject, const struct growth_order *order,
                 struct process *ret_process)
{
    char count[24], size[24];
    snprintf(count, sizeof count, "%zu", order->count);
    snprintf(size, sizeof size, "%zu", order->size);
    const char *const arguments[] = {order->is_counting ? GROWTH_COUNTING : GROWTH_PLAIN, count,
                                     size, NULL};
    return job_spawn(&(struct job_order){.subject = subject,
                                         .kind = JOB_WORKLOAD,
                                         .name = order->workload,
                                         .arguments = arguments,
                                         .report_size = sizeof(struct growth_report),
                                         .cpu_limit_s = cpu_seconds(order),
                                         .read_position = read_position,
                                         .is_cancelled = order->is_cancelled},
                     ret_process);
}

int growth_process(const struct subject_plan *subject, const struct growth_order *order,
                   struct growth_ending *ret_ending)
{
    struct process process;
    int result = start(subject, order, &process);
    if (result != 0)
        return result;
    process_wait(&process);
    *ret_ending = (struct growth_ending){.report = *(struct growth_report *)job_report(&process),
                                         .status = process.status,
                                         .cpu_seconds = cpu_seconds(order),
                                         .is_blocked = process.is_stuck,
                                         .idle_seconds = count_idle_seconds(&process.stall)};
    process_take_line(&process, ret_ending->output, sizeof ret_ending->output);
    struct growth_report *report = &ret_ending->report;
    const char *refusal = job_refusal(&process);
    text_copy_printable(report->sentence, sizeof report->sentence,
                        refusal != NULL ? refusal : report->sentence);
    bool was_cancelled = process.was_cancelled;
    bool is_unable = WIFEXITED(process.status) && WEXITSTATUS(process.status) == CHILD_EXIT_USAGE;
    process_release(&process);
    if (was_cancelled)
        return ECANCELED;
    if (is_unable)
        return EAGAIN; /* no memory for the report, no thread */
    if (report->sample_count > SAMPLES_MAX)
        report->sample_count = SAMPLES_MAX;
    return 0;
}
