/* SPDX-License-Identifier: MIT */
/* The end of an exported program: processes of the scenario one after the other, each with the next
 * seed, and what they found. Above it stand PROCESSES, WORKERS, MILLISECONDS, SEED,
 * ON_ONE_PROCESSOR, PACE_US, MUTED, IS_SMALL, ALIGNMENT, SCENARIO and bind_calls. */
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { HANG_MS = 30000, LOOK_MS = 20 };

static _Noreturn void run_process(struct torture_report *report, unsigned number)
{
    struct torture_options options = {WORKERS, MILLISECONDS, SEED + number, ON_ONE_PROCESSOR,
                                      PACE_US, MUTED,        IS_SMALL,      ALIGNMENT};
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* whoever stops the program stops all of it */
    setpgid(0, 0);
    bind_calls();
    torture_begin(report, &options);
    SCENARIO();
    torture_end();
    _exit(0);
}

static const char *wait_for(pid_t child)
{
    int status = 0;
    for (unsigned waited = 0; waited < MILLISECONDS + HANG_MS; waited += LOOK_MS) {
        if (waitpid(child, &status, WNOHANG) == child)
            return WIFSIGNALED(status)        ? strsignal(WTERMSIG(status))
                   : WEXITSTATUS(status) != 0 ? "a failed check"
                                              : NULL;
        usleep(LOOK_MS * 1000);
    }
    kill(-child, SIGKILL);
    waitpid(child, &status, 0);
    return "a hang: no end long after the time";
}

int main(void)
{
    unsigned failed = 0;
    for (unsigned number = 0; number < PROCESSES; number++) {
        struct torture_report *report =
            mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        pid_t child = report != MAP_FAILED ? fork() : -1;
        if (child == 0)
            run_process(report, number);
        const char *end = child > 0 ? wait_for(child) : "no process could be started";
        failed += end != NULL;
        if (end != NULL)
            dprintf(STDOUT_FILENO, "seed %llu: %s: %s: %s\n", (unsigned long long)SEED + number,
                    end, report->check, report->sentence);
        munmap(report, sizeof *report);
    }
    dprintf(STDOUT_FILENO, "%u of %u processes failed\n", failed, (unsigned)PROCESSES);
    return failed > 0;
}
