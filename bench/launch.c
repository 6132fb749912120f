/* SPDX-License-Identifier: MIT */
/*
 * The command line of mallet-bench-child, and what became of the run. A run has no limit of
 * processor time: under one, Linux advances the process's clock only with its timer ticks, which
 * are milliseconds. Progress is processor time used; an endless loop ends by the wall limit.
 */
#include "bench/launch.h"

#include "harness/base/proc.h"
#include "harness/base/text.h"
#include "harness/process/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum { WALL_LIMIT_MS = 300000, OWN_ARGUMENTS = 8, TOOL_ARGUMENTS_MAX = 8, NUMBER_MAX = 24 };

struct launch {
    const char *arguments[OWN_ARGUMENTS + TOOL_ARGUMENTS_MAX + WORKLOAD_ARGUMENTS_MAX + 1];
    char size[NUMBER_MAX], count[NUMBER_MAX];
};

static const char **append(const char **at, const char *const *arguments)
{
    while (arguments != NULL && *arguments != NULL)
        *at++ = *arguments++;
    return at;
}

static void write_command(struct launch *launch, const struct bench *bench,
                          const struct launch_order *order)
{
    const struct bench_workload *workload = order->workload;
    const char *preload = subject_plan_preload(&order->subject->plan);
    const char *const own[] = {bench->child, workload->kind,
                               workload->file[0] != '\0' ? workload->file : launch->size,
                               launch->count, NULL};
    const char *const start[] = {bench->child, "launch", bench->folder,
                                 preload != NULL ? preload : "", NULL};
    snprintf(launch->size, NUMBER_MAX, "%llu", (unsigned long long)workload->size);
    snprintf(launch->count, NUMBER_MAX, "%llu", (unsigned long long)order->count);
    const char **at = append(launch->arguments, start);
    at = append(at, order->tool);
    at = append(at, workload->kind != NULL ? own : workload->arguments);
    *at = NULL;
}

static void describe_end(int status, int wanted, char ret_text[64])
{
    ret_text[0] = '\0';
    if (WIFSIGNALED(status))
        snprintf(ret_text, 64, "killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) != wanted)
        snprintf(ret_text, 64, "exit status %d", WEXITSTATUS(status));
}

/* Of a workload of ours. Real programs have the wall limit alone: they start processes and wait for
 * them, so that processor time comes and goes. */
static uint64_t read_position(const struct process *process)
{
    return proc_read_group(process->pid).cpu_us / 1000000;
}

static void describe(const struct process *process, const struct bench_workload *workload,
                     const struct bench_answer *answer, char ret_failure[BENCH_FAILURE_MAX])
{
    char end[64] = "", line[PROCESS_LINE_MAX];
    ret_failure[0] = '\0';
    if (process->is_timed_out)
        snprintf(end, sizeof end, "did not end within %d s", WALL_LIMIT_MS / 1000);
    else if (process->is_stuck)
        snprintf(end, sizeof end, "stuck: it made no progress for 10 s");
    else if (process->status != 0 || !answer->is_ended)
        snprintf(end, sizeof end, "its launcher failed");
    else
        describe_end(answer->status, workload->status, end);
    if (end[0] == '\0' && workload->kind != NULL && !answer->is_measured)
        snprintf(end, sizeof end, "ended before its measurement did");
    if (end[0] == '\0')
        return;
    text_copy_line(line, sizeof line, process->line);
    snprintf(ret_failure, BENCH_FAILURE_MAX, "%s%s%.100s", end, line[0] != '\0' ? ": " : "", line);
}

int launch_run(const struct bench *bench, const struct launch_order *order,
               struct bench_answer *ret_answer, char ret_failure[BENCH_FAILURE_MAX],
               char error[SUBJECT_ERROR_MAX])
{
    struct launch launch;
    struct process process;
    const char *variables[] = {order->subject->plan.environment, NULL};
    write_command(&launch, bench, order);
    const struct process_plan plan = {
        .program = bench->child,
        .arguments = launch.arguments,
        .variables = variables,
        .memory = {{ANSWER_DESCRIPTOR, sizeof *ret_answer}},
        .output = PROCESS_OUTPUT_LINE,
        .wall_limit_ms = WALL_LIMIT_MS,
        .read_position = order->workload->kind != NULL ? read_position : NULL,
        .is_cancelled = bench->is_cancelled,
    };
    int result = process_spawn(&plan, &process);
    if (result != 0) {
        snprintf(error, SUBJECT_ERROR_MAX, "cannot start %.400s: %s", bench->child,
                 strerror(result));
        return result;
    }
    process_wait(&process);
    memcpy(ret_answer, process.memory[0], sizeof *ret_answer);
    ret_answer->malloc_file[ANSWER_PATH_MAX - 1] = '\0';
    describe(&process, order->workload, ret_answer, ret_failure);
    bool was_cancelled = process.was_cancelled;
    process_release(&process);
    if (was_cancelled)
        ret_failure[0] = '\0';
    return was_cancelled ? ECANCELED : 0;
}
