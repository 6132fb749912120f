/* SPDX-License-Identifier: MIT */
/*
 * The exported program is the last guard against a false alarm: it knows nothing of the harness, so
 * what it shows too is the subject's. It is compiled as its first lines say, and run with the
 * subject over it, within limits.
 */
#include "mallet/campaign_internal.h"

#include "harness/subject/subject_plan.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMPILE_LIMIT_MS = 30000, RUN_LIMIT_MS = 10000, RUN_CPU_S = 5, SHOWS = 1 };

static bool compile(const char *source, const char *program)
{
    const char *const arguments[] = {"cc", "-std=gnu11", "-O0",  "-fno-builtin", "-w",
                                     "-o", program,      source, "-pthread",     NULL};
    const struct process_plan plan = {.program = arguments[0],
                                      .arguments = arguments,
                                      .keeps_environment = true,
                                      .wall_limit_ms = COMPILE_LIMIT_MS,
                                      .is_cancelled = campaign_is_stopped};
    struct process process;
    return process_run(&plan, &process) == 0 && WIFEXITED(process.status) &&
           WEXITSTATUS(process.status) == 0;
}

/* What to preload: "" for the libc itself. False if the subject cannot be put under a program of
 * its own: another libc than the compiler's, anvil without its shared object. */
static bool find_preload(const struct campaign *campaign, char ret_path[CAMPAIGN_PATH_MAX])
{
    struct subject_plan plan, whole;
    char error[SUBJECT_ERROR_MAX];
    if (subject_resolve(&plan, campaign->subject_path, BIND_AUTO, SUBJECT_WHOLE_PROCESS, error) !=
            0 ||
        !subject_plan_whole_process(&plan, &whole))
        return false;
    const char *preload = subject_plan_preload(&whole);
    campaign_path(ret_path, "%s", preload != NULL ? preload : "");
    return preload != NULL || strcmp(whole.spec, "glibc") == 0;
}

enum ending { ENDING_NONE, ENDING_EXIT, ENDING_DEATH, ENDING_OVER_TIME };

/* preload "": none. */
static enum ending run_to_end(const char *program, const char *preload, int *ret_status)
{
    const char *const arguments[] = {program, NULL};
    const struct process_plan plan = {.program = program,
                                      .arguments = arguments,
                                      .preload = preload,
                                      .cpu_limit_s = RUN_CPU_S,
                                      .wall_limit_ms = RUN_LIMIT_MS,
                                      .is_cancelled = campaign_is_stopped};
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

/* A death and a hang do not say whose they are: on the libc too, the program's own. Of the libc, no
 * other can tell. */
static bool is_subjects(const char *program, const char *preload, enum ending ending)
{
    int status;
    enum ending libcs = preload[0] != '\0' ? run_to_end(program, "", &status) : ENDING_EXIT;
    return libcs != ending && libcs != ENDING_NONE;
}

enum confirmation campaign_run_program(const struct campaign *campaign, const char *source,
                                       const struct finding *finding)
{
    char preload[CAMPAIGN_PATH_MAX], program[CAMPAIGN_PATH_MAX];
    int status;
    if (!find_preload(campaign, preload) || access(source, R_OK) != 0)
        return CONFIRM_UNKNOWN;
    campaign_path(program, "%s/.program", campaign->output);
    if (!compile(source, program))
        return CONFIRM_UNKNOWN;
    enum ending ending = run_to_end(program, preload, &status);
    bool is_hang = check_find(finding->check) == CHECK_PROGRESS;
    bool may_show = ending == ENDING_DEATH || (ending == ENDING_OVER_TIME && is_hang);
    bool shows = may_show && is_subjects(program, preload, ending);
    unlink(program);
    if (ending != ENDING_EXIT)
        return shows ? CONFIRM_YES : CONFIRM_UNKNOWN;
    if (WEXITSTATUS(status) > SHOWS)
        return CONFIRM_UNKNOWN;
    return WEXITSTATUS(status) == SHOWS ? CONFIRM_YES : CONFIRM_NO;
}
