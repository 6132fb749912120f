/* SPDX-License-Identifier: MIT */
/*
 * The command line of mallet-bench-child, and what became of the run. A run has no limit of
 * processor time: under one, Linux advances the process's clock only with its timer ticks, which
 * are milliseconds. Progress is processor time used; an endless loop ends by the wall limit.
 */
#include "bench/launch.h"

#include "harness/base/clock.h"
#include "harness/base/text.h"
#include "harness/process/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum { WALL_LIMIT_MS = 300000, FIXED_ARGUMENTS = 4, NUMBER_MAX = 24 };

struct launch {
    const char *arguments[FIXED_ARGUMENTS + WORKLOAD_ARGUMENTS_MAX + 1];
    char size[NUMBER_MAX], count[NUMBER_MAX];
};

static uint64_t scaled_count(const struct bench *bench, const struct bench_workload *workload)
{
    uint64_t count = workload->count * bench->scale / 100;
    return count > 0 ? count : 1;
}

static void write_command(struct launch *launch, const struct bench *bench,
                          const struct bench_workload *workload, const char *preload)
{
    const char **at = launch->arguments;
    *at++ = bench->child;
    *at++ = "launch";
    *at++ = bench->folder;
    *at++ = preload != NULL ? preload : "";
    for (size_t i = 0; workload->kind == NULL && workload->arguments[i] != NULL; i++)
        *at++ = workload->arguments[i];
    if (workload->kind != NULL) {
        snprintf(launch->size, NUMBER_MAX, "%llu", (unsigned long long)workload->size);
        snprintf(launch->count, NUMBER_MAX, "%llu",
                 (unsigned long long)scaled_count(bench, workload));
        *at++ = bench->child;
        *at++ = workload->kind;
        *at++ = workload->file[0] != '\0' ? workload->file : launch->size;
        *at++ = launch->count;
    }
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

static uint64_t read_position(const struct process *process)
{
    const struct bench_answer *answer = process->memory[0];
    return answer->pid > 0 ? 1 + clock_cpu_ms_of(answer->pid) / 1000 : 0;
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

int launch_run(const struct bench *bench, const struct bench_workload *workload,
               const struct bench_subject *subject, struct bench_answer *ret_answer,
               char ret_failure[BENCH_FAILURE_MAX], char error[SUBJECT_ERROR_MAX])
{
    struct launch launch;
    struct process process;
    const char *variables[] = {subject->plan.environment, NULL};
    write_command(&launch, bench, workload, subject_plan_preload(&subject->plan));
    const struct process_plan plan = {
        .program = bench->child,
        .arguments = launch.arguments,
        .variables = variables,
        .memory = {{ANSWER_DESCRIPTOR, sizeof *ret_answer}},
        .output = PROCESS_OUTPUT_LINE,
        .wall_limit_ms = WALL_LIMIT_MS,
        .read_position = read_position,
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
    describe(&process, workload, ret_answer, ret_failure);
    bool was_cancelled = process.was_cancelled;
    process_release(&process);
    if (was_cancelled)
        ret_failure[0] = '\0';
    return was_cancelled ? ECANCELED : 0;
}
