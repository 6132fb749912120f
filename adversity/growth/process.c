/* SPDX-License-Identifier: MIT */
/* One process at a time. A hang ends by its own CPU limit; a stall is looked for by what its threads
 * do, since no clock shows one. */
#include "adversity/growth/process.h"

#include "harness/base/text.h"
#include "harness/process/process.h"

#include <errno.h>
#include <stdio.h>

static uint64_t read_position(const struct process *process)
{
    const struct growth_report *report = process->memory[0];
    return (uint64_t)report->round << 32 | (report->sample_count + report->seconds_passed);
}

static int start(const struct subject_plan *subject, const struct growth_order *order,
                 struct process *ret_process)
{
    char program[PATH_MAX], count[24], size[24];
    if (!subject_plan_program(subject, "mallet-growth", program))
        return ENOENT;
    snprintf(count, sizeof count, "%zu", order->count);
    snprintf(size, sizeof size, "%zu", order->size);
    const char *const arguments[] = {program,
                                     subject_binding_name(subject->binding),
                                     subject->what,
                                     order->shape,
                                     order->is_counting ? GROWTH_COUNTING : GROWTH_PLAIN,
                                     count,
                                     size,
                                     NULL};
    const struct process_plan plan = {
        .program = program,
        .arguments = arguments,
        .preload = subject_plan_preload(subject),
        .memory = {{GROWTH_REPORT, sizeof(struct growth_report)}},
        .output = PROCESS_OUTPUT_LINE,
        .cpu_limit_s = GROWTH_CPU_SECONDS,
        .read_position = read_position,
    };
    return process_spawn(&plan, ret_process);
}

int growth_process(const struct subject_plan *subject, const struct growth_order *order,
                   struct growth_ending *ret_ending)
{
    struct process process;
    int result = start(subject, order, &process);
    if (result != 0)
        return result;
    process_wait(&process);
    *ret_ending = (struct growth_ending){.report = *(struct growth_report *)process.memory[0],
                                         .status = process.status,
                                         .is_blocked = process.is_stuck};
    process_take_line(&process, ret_ending->output, sizeof ret_ending->output);
    process_release(&process);
    struct growth_report *report = &ret_ending->report;
    text_copy_printable(report->sentence, sizeof report->sentence, report->sentence);
    if (report->sample_count > SAMPLES_MAX)
        report->sample_count = SAMPLES_MAX;
    return 0;
}
