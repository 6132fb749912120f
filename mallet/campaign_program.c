/* SPDX-License-Identifier: MIT */
/*
 * The exported program is the last guard against a false alarm: it knows nothing of the harness, so
 * what it shows too is the subject's. It is compiled as its first lines say, and run with the
 * subject over it, within limits.
 */
#include "mallet/campaign_internal.h"

#include "harness/subject/subject_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMPILE_LIMIT_MS = 30000, RUN_LIMIT_MS = 10000, RUN_CPU_S = 5, POLL_MS = 5, SHOWS = 1 };

static void redirect_to_null(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++)
        dup2(null, file);
}

/* Runs a program to its end or the limit. preload NULL: none. Returns its wait status; ret_hung: it
 * had to be killed. */
static int run_limited(char *const arguments[], const char *preload, int64_t limit_ms,
                       bool *ret_hung)
{
    int status = -1;
    int64_t end = campaign_now_ms() + limit_ms;
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        redirect_to_null();
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        if (preload != NULL) {
            setrlimit(RLIMIT_CPU, &(struct rlimit){RUN_CPU_S, RUN_CPU_S});
            setenv("LD_PRELOAD", preload, 1);
        }
        execvp(arguments[0], arguments);
        _exit(127);
    }
    *ret_hung = false;
    if (pid < 0)
        return -1;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        if (campaign_now_ms() >= end) {
            *ret_hung = true;
            kill(pid, SIGKILL);
        }
        usleep(POLL_MS * 1000);
    }
    kill(-pid, SIGKILL); /* whatever it left behind */
    return status;
}

static bool compile(char *source, char *program)
{
    static char name[] = "cc", standard[] = "-std=gnu11", level[] = "-O0", plain[] = "-fno-builtin",
                quiet[] = "-w", out[] = "-o", threads[] = "-pthread";
    char *const arguments[] = {name, standard, level,  plain,   quiet,
                               out,  program,  source, threads, NULL};
    bool hung;
    int status = run_limited(arguments, NULL, COMPILE_LIMIT_MS, &hung);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
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

enum ending { ENDING_EXIT, ENDING_DEATH, ENDING_OVER_TIME };

static enum ending run_to_end(char *const arguments[], const char *preload, int *ret_status)
{
    bool hung;
    *ret_status = run_limited(arguments, preload, RUN_LIMIT_MS, &hung);
    if (!hung && !WIFSIGNALED(*ret_status))
        return ENDING_EXIT;
    bool is_over_time =
        hung || WTERMSIG(*ret_status) == SIGXCPU || WTERMSIG(*ret_status) == SIGKILL;
    return is_over_time ? ENDING_OVER_TIME : ENDING_DEATH;
}

/* A death and a hang do not say whose they are: on the libc too, the program's own. Of the libc, no
 * other can tell. */
static bool ends_so_on_libc(char *const arguments[], const char *preload, enum ending ending)
{
    int status;
    return preload[0] != '\0' && run_to_end(arguments, "", &status) == ending;
}

enum confirmation campaign_run_program(const struct campaign *campaign, const char *source,
                                       const struct finding *finding)
{
    char preload[CAMPAIGN_PATH_MAX], program[CAMPAIGN_PATH_MAX], source_path[CAMPAIGN_PATH_MAX];
    int status;
    if (!find_preload(campaign, preload) || access(source, R_OK) != 0)
        return CONFIRM_UNKNOWN;
    campaign_path(source_path, "%s", source);
    campaign_path(program, "%s/.program", campaign->output);
    if (!compile(source_path, program))
        return CONFIRM_UNKNOWN;
    char *const arguments[] = {program, NULL};
    enum ending ending = run_to_end(arguments, preload, &status);
    bool is_hang = check_find(finding->check) == CHECK_PROGRESS;
    bool may_show = ending == ENDING_DEATH || (ending == ENDING_OVER_TIME && is_hang);
    bool shows = may_show && !ends_so_on_libc(arguments, preload, ending);
    unlink(program);
    if (ending != ENDING_EXIT)
        return shows ? CONFIRM_YES : CONFIRM_UNKNOWN;
    if (status == -1 || !WIFEXITED(status) || WEXITSTATUS(status) > SHOWS)
        return CONFIRM_UNKNOWN;
    return WEXITSTATUS(status) == SHOWS ? CONFIRM_YES : CONFIRM_NO;
}
