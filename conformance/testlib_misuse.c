/* SPDX-License-Identifier: MIT */
/*
 * Runs each case of undefined use in a child process and records how it was noticed. Part of the
 * testlib: the rules of probe.h apply.
 */
#include "conformance/testlib.h"

#include <signal.h>
#include <sys/wait.h>

enum { USED_BLOCKS = 256, USED_ROUNDS = 4, USED_SIZES = 12 };

/* Any size class that the misuse may have damaged is likely to be met. */
static void use_heap_after_misuse(void)
{
    static void *blocks[USED_BLOCKS];
    for (int round = 0; round < USED_ROUNDS; round++) {
        for (size_t i = 0; i < USED_BLOCKS; i++)
            blocks[i] = malloc((size_t)16 << (i % USED_SIZES));
        for (size_t i = 0; i < USED_BLOCKS; i++)
            free(blocks[i]);
    }
}

enum probe_outcome survived(void)
{
    use_heap_after_misuse();
    return SILENT("undefined use: expected a diagnosis, observed none, nor from %d calls of malloc "
                  "and free afterwards",
                  2 * USED_ROUNDS * USED_BLOCKS);
}

struct case_end last_case;

static struct case_end worst;

static const char *worst_call = "nothing";

/* A zero among what the child prints says that the misuse has returned. */
static void read_case(int from)
{
    char chunk[512];
    size_t used = 0;
    ssize_t length;
    while ((length = read(from, chunk, sizeof chunk)) > 0 || (length < 0 && errno == EINTR))
        for (ssize_t i = 0; i < length; i++) {
            if (chunk[i] == '\0')
                last_case.has_returned = true;
            else if (used + 1 < sizeof last_case.said &&
                     (used == 0 || last_case.said[used - 1] != '\n'))
                last_case.said[used++] = chunk[i];
        }
    last_case.said[used > 0 && last_case.said[used - 1] == '\n' ? used - 1 : used] = '\0';
}

static enum probe_outcome judge_case(const struct case_end *end)
{
    int signal_number = WIFSIGNALED(end->status) ? WTERMSIG(end->status) : 0;
    bool hangs = signal_number == SIGALRM || signal_number == SIGXCPU || signal_number == SIGKILL;
    if (end->status == 0 || hangs)
        return OUTCOME_SILENT; /* a hang names no mistake */
    return end->has_returned ? OUTCOME_LATE : OUTCOME_DETECTED;
}

bool case_begins(const char *call)
{
    enum { SECONDS = 10 };
    int ends[2];
    last_case = (struct case_end){.status = -1};
    pid_t child = pipe(ends) == 0 ? fork() : -1;
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        alarm(SECONDS);
        return true;
    }
    if (child > 0) {
        close(ends[1]);
        read_case(ends[0]);
        close(ends[0]);
        while (waitpid(child, &last_case.status, 0) < 0 && errno == EINTR)
            ;
    }
    last_case.outcome = child > 0 ? judge_case(&last_case) : OUTCOME_UNSUPPORTED;
    if (last_case.outcome > worst.outcome) {
        worst = last_case;
        worst_call = call;
    }
    return false;
}

void case_ends(void)
{
    (void)!write(STDERR_FILENO, "", 1);
    use_heap_after_misuse();
    _exit(0);
}

void case_refused(void)
{
    _exit(REFUSED);
}

enum probe_outcome worst_case(void)
{
    if (worst.outcome == OUTCOME_UNSUPPORTED)
        return UNSUPPORTED("pipe and fork: expected a child, observed errno %d", errno);
    if (worst.outcome == OUTCOME_SILENT && worst.status == 0)
        return SILENT(
            "%s: expected a diagnosis, observed none, nor from a use of the heap afterwards",
            worst_call);
    if (worst.outcome == OUTCOME_SILENT)
        return SILENT("%s: expected a diagnosis, observed a process that does not end", worst_call);
    if (WIFEXITED(worst.status) && WEXITSTATUS(worst.status) == REFUSED)
        return DETECTED("%s: expected a diagnosis, observed that the call refuses", worst_call);
    const char *how = WIFSIGNALED(worst.status) ? "death by signal" : "exit with status";
    int number = WIFSIGNALED(worst.status) ? WTERMSIG(worst.status) : WEXITSTATUS(worst.status);
    const char *said = worst.said[0] != '\0' ? worst.said : "nothing";
    if (worst.outcome == OUTCOME_LATE)
        return LATE("%s: expected a diagnosis, observed %s %d in a later call; it printed: %s",
                    worst_call, how, number, said);
    return DETECTED("%s: expected a diagnosis, observed %s %d; it printed: %s", worst_call, how,
                    number, said);
}
