/* SPDX-License-Identifier: MIT */
/* Compiles and runs the program. A death and a hang do not say whose they are, so that the libc is
 * asked for the same; of the libc itself no other can tell. */
#include "harness/program/confirm.h"

#include "harness/process/process.h"
#include "harness/program/program.h"
#include "harness/subject/subject_plan.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    COMPILE_LIMIT_MS = 30000,
    RUN_LIMIT_MS = 10000,
    RUN_CPU_S = 5,
    RUNS = 6 /* the usual */,
    SHOWS = 1
};

static bool compile(const struct confirm_request *request, const char *program)
{
    const char *option = program_compile_option();
    const char *const arguments[] = {
        "cc", "-std=gnu11", "-O0",           "-fno-builtin", "-w",
        "-o", program,      request->source, "-pthread",     *option != '\0' ? option : NULL,
        NULL};
    const struct process_plan plan = {.program = arguments[0],
                                      .arguments = arguments,
                                      .keeps_environment = true,
                                      .wall_limit_ms = COMPILE_LIMIT_MS,
                                      .is_cancelled = request->is_cancelled};
    struct process process;
    return process_run(&plan, &process) == 0 && WIFEXITED(process.status) &&
           WEXITSTATUS(process.status) == 0;
}

/* What to preload: "" for the libc itself. False if the subject cannot be put under a program of
 * its own: another libc than the compiler's, anvil without its shared object. */
static bool find_preload(const char *subject, char ret_path[PATH_MAX])
{
    struct subject_plan plan, whole;
    char error[SUBJECT_ERROR_MAX];
    if (subject_resolve(&plan, subject, BIND_AUTO, SUBJECT_WHOLE_PROCESS, error) != 0 ||
        !subject_plan_whole_process(&plan, &whole))
        return false;
    const char *preload = subject_plan_preload(&whole);
    snprintf(ret_path, PATH_MAX, "%s", preload != NULL ? preload : "");
    return preload != NULL || strcmp(whole.spec, "glibc") == 0;
}

enum ending { ENDING_NONE, ENDING_EXIT, ENDING_DEATH, ENDING_OVER_TIME };

/* preload "": none. */
static enum ending run_to_end(const struct confirm_request *request, const char *program,
                              const char *preload, int *ret_status)
{
    const char *const arguments[] = {program, NULL};
    const struct process_plan plan = {
        .program = program,
        .arguments = arguments,
        .preload = preload,
        .cpu_limit_s = (request->cpu_limit_s != 0 ? request->cpu_limit_s : RUN_CPU_S) +
                       request->touch_ms / 1000,
        .wall_limit_ms = RUN_LIMIT_MS + 2 * request->touch_ms,
        .is_cancelled = request->is_cancelled};
    struct process process;
    if (process_run(&plan, &process) != 0 || process.was_cancelled)
        return ENDING_NONE;
    *ret_status = process.status;
    if (!process.is_timed_out && !WIFSIGNALED(process.status))
        return ENDING_EXIT;
    bool is_over_time = process.is_timed_out || WTERMSIG(process.status) == SIGXCPU ||
                        WTERMSIG(process.status) == SIGKILL;
    return is_over_time ? ENDING_OVER_TIME : ENDING_DEATH;
}

static bool is_subjects(const struct confirm_request *request, const char *program,
                        const char *preload, enum ending ending)
{
    int status;
    enum ending libcs =
        preload[0] != '\0' ? run_to_end(request, program, "", &status) : ENDING_EXIT;
    return libcs != ending && libcs != ENDING_NONE;
}

static enum confirmation run_once(const struct confirm_request *request, const char *program,
                                  const char *preload)
{
    int status;
    enum ending ending = run_to_end(request, program, preload, &status);
    bool may_show = ending == ENDING_DEATH || (ending == ENDING_OVER_TIME && request->is_hang);
    if (ending != ENDING_EXIT)
        return may_show && is_subjects(request, program, preload, ending) ? CONFIRM_YES
                                                                          : CONFIRM_UNKNOWN;
    if (WEXITSTATUS(status) > SHOWS)
        return CONFIRM_UNKNOWN;
    return WEXITSTATUS(status) == SHOWS ? CONFIRM_YES : CONFIRM_NO;
}

static enum confirmation run_until_shown(const struct confirm_request *request, const char *program,
                                         const char *preload)
{
    const unsigned most = request->runs > 0 ? request->runs : RUNS;
    enum confirmation confirmed = CONFIRM_NO;
    unsigned run = 0;
    while (run++ < most && confirmed == CONFIRM_NO)
        confirmed = run_once(request, program, preload);
    if (request->ret_run != NULL)
        *request->ret_run = confirmed == CONFIRM_YES ? run - 1 : 0;
    return confirmed;
}

enum confirmation confirm_by_program(const struct confirm_request *request)
{
    const char *base = getenv("TMPDIR");
    char preload[PATH_MAX], folder[PATH_MAX], program[PATH_MAX + 16];
    if (access(request->source, R_OK) != 0 || !find_preload(request->subject, preload))
        return CONFIRM_UNKNOWN;
    snprintf(folder, sizeof folder, "%.2000s/mallet-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(folder) == NULL)
        return CONFIRM_UNKNOWN;
    snprintf(program, sizeof program, "%s/program", folder);
    enum confirmation confirmed =
        compile(request, program) ? run_until_shown(request, program, preload) : CONFIRM_UNKNOWN;
    unlink(program);
    rmdir(folder);
    return confirmed;
}
