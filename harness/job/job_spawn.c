/* SPDX-License-Identifier: MIT */
#include "harness/job/job_spawn.h"

#include "harness/job/child.h"

#include <errno.h>
#include <sys/wait.h>

enum { WORDS = 6, ARGUMENTS_MAX = 16 };

int job_spawn(const struct job_order *order, struct process *ret_process)
{
    const struct subject_plan *subject = order->subject;
    char program[PATH_MAX];
    if (!subject_plan_program(subject, program))
        return ENOENT;
    const char *words[WORDS + ARGUMENTS_MAX + 1] = {program,
                                                    CHILD_JOB,
                                                    subject_binding_name(subject->binding),
                                                    subject->what,
                                                    job_kind_name(order->kind),
                                                    order->name};
    for (size_t i = 0; i < ARGUMENTS_MAX && order->arguments != NULL && order->arguments[i] != NULL;
         i++)
        words[WORDS + i] = order->arguments[i];
    const char *const variables[] = {subject->environment, NULL};
    const struct process_plan plan = {
        .program = program,
        .arguments = words,
        .preload = subject_plan_preload(subject),
        .variables = variables,
        .memory = {{CHILD_MEMORY, JOB_REPORT_OFFSET + order->report_size}},
        .output = PROCESS_OUTPUT_LINE,
        .cpu_limit_s = order->cpu_limit_s,
        .wall_limit_ms = order->wall_limit_ms,
        .read_position = order->read_position,
        .is_cancelled = order->is_cancelled,
    };
    return process_spawn(&plan, ret_process);
}

void *job_report(const struct process *process)
{
    return (char *)process->memory[0] + JOB_REPORT_OFFSET;
}

uint32_t job_offers(const struct process *process)
{
    return ((const struct job_header *)process->memory[0])->offers;
}

const char *job_refusal(struct process *process)
{
    struct job_header *header = process->memory[0];
    bool has_said = WIFEXITED(process->status) && WEXITSTATUS(process->status) == 0;
    header->sentence[sizeof header->sentence - 1] = '\0';
    return has_said && header->magic != JOB_MAGIC && header->sentence[0] != '\0' ? header->sentence
                                                                                 : NULL;
}
