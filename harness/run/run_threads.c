/* SPDX-License-Identifier: MIT */
/*
 * Which thread makes the calls, and what the child of a fork does.
 *
 * `thread T` passes the token to a member of a team (team.h): from then on its thread runs the ops,
 * calls and checks, one after the other, until the token is to pass again. So a trace with threads
 * runs in one order, always the same. `thread-exit T` ends a member's thread; when the token is its
 * own, member 0 gets it. Members outlive a cycle, and end with the run.
 *
 * `fork` forks in the thread that has the token. The child verifies every block that it inherited,
 * reallocates and frees them, allocates anew, and leaves its verdict in shared memory; the parent
 * waits, and then finds its own blocks untouched. Further cycles pass over it, for it is dear.
 */
#include "harness/process/fork_wait.h"
#include "harness/run/run_internal.h"
#include "harness/trace/trace_slots.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CHILD_EXIT_VERDICT = 97,
    CHILD_CPU_MS = 2000,   /* a child that uses more hangs */
    CHILD_IDLE_MS = 10000, /* one that uses none for so long is stuck */
};

void run_in_member(struct run *run, void (*work)(void *context), void *context)
{
    if (run->member == run->running || team_do(run->team, run->member, work, context) != 0)
        work(context);
}

/* A second C library in the process does not learn of threads that end, nor of forks: what it then
 * loses is the loader's doing. */
static bool is_one_thread(const struct run *run)
{
    return run->options->one_thread || run->subject->errno_location != NULL;
}

void run_thread(struct run *run, const struct trace_op *op)
{
    unsigned member = (unsigned)(op->extra % TEAM_SIZE);
    if (is_one_thread(run) || (run->offers >> SUBJECT_threads & 1) == 0)
        return;
    if (op->kind == OP_THREAD) {
        bool has_team = run->team != NULL || member == 0 || team_init(&run->team) == 0;
        run->member = has_team ? member : 0;
    } else if (run->team != NULL) {
        team_dismiss(run->team, member);
        run->member = run->member == member ? 0 : run->member;
    }
}

void threads_end_cycle(struct run *run)
{
    run->member = 0;
}

void threads_end(struct run *run)
{
    run->member = 0;
    if (run->team != NULL)
        team_dismiss_all(run->team);
}

/* ---- in the child ---- */

/* Growing one block in two, shrinking the others; a run of its own checks around each. */
static bool resize_inherited(struct run *run)
{
    uint32_t slot = 0;
    size_t left =
        run->shadow.live.count < RUN_CHILD_RESIZED ? run->shadow.live.count : RUN_CHILD_RESIZED;
    for (; left > 0; left--, slot++) {
        slot = slot_set_next_live(&run->shadow.live, slot);
        size_t size = run->shadow.blocks[slot].size;
        struct trace_op op = {.kind = OP_REALLOC,
                              .slot = slot,
                              .size = left % 2 != 0 ? size + size / 2 + 100 : size / 2 + 1};
        struct request request = request_make(run, &op);
        if (request_can_run(run, &request) && !run_reallocate(run, &request))
            return false;
    }
    return true;
}

static bool allocate_anew(struct run *run)
{
    for (uint32_t i = 0; i < RUN_CHILD_BLOCKS; i++) {
        struct trace_op op = {.kind = OP_MALLOC,
                              .slot = slot_set_next_dead(&run->shadow.live, 0),
                              .size = (uint64_t)16 << 2 * i};
        struct request request = request_make(run, &op);
        if (!run_allocate(run, &request))
            return false;
    }
    return true;
}

static _Noreturn void live_in_child(struct run *run)
{
    static const struct run_report no_report;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    if (run->team != NULL)
        team_forget(run->team);
    run->member = run->running = 0;
    run->report = &no_report;
    run->features = NULL;
    run->verdict = run->child_verdict;
    if (run->faults.is_watching)
        os_calls_fail(0, 0); /* what is pending stays for the parent */
    bool is_clean = run_sweep(run, "by a forked child") && resize_inherited(run) &&
                    allocate_anew(run) && run_free_all(run) && allocate_anew(run);
    _exit(is_clean || run->is_cut_short ? 0 : CHILD_EXIT_VERDICT);
}

/* ---- in the parent ---- */

/* The child's words are taken as data of a stranger. */
static bool fail_as_child(struct run *run)
{
    struct verdict *verdict = run->child_verdict;
    verdict->sentence[VERDICT_SENTENCE_MAX - 1] = 0;
    enum check check = verdict->check < CHECK_COUNT ? (enum check)verdict->check : CHECK_CRASH;
    return run_fail(run, check, "fork", "in the forked child: %.200s", verdict->sentence);
}

static bool judge_child(struct run *run, enum fork_end end, int status)
{
    if (end == FORK_HUNG)
        return run_fail(run, CHECK_PROGRESS, "fork",
                        "the forked child was still at it after %d ms of CPU time", CHILD_CPU_MS);
    if (end == FORK_STUCK)
        return run_fail(run, CHECK_PROGRESS, "fork",
                        "the forked child stood still for %d ms, using no processor time: a "
                        "deadlock",
                        CHILD_IDLE_MS);
    if (WIFSIGNALED(status))
        return run_fail(run, CHECK_CRASH, "fork", "the forked child died of signal %d (%s)",
                        WTERMSIG(status), strsignal(WTERMSIG(status)));
    if (WEXITSTATUS(status) == CHILD_EXIT_VERDICT)
        return fail_as_child(run);
    return WEXITSTATUS(status) == 0 ||
           run_fail(run, CHECK_CRASH, "fork", "the forked child called exit(%d)",
                    WEXITSTATUS(status));
}

struct fork_job {
    struct run *run;
    pid_t child;
};

static void do_fork(void *context)
{
    struct fork_job *job = context;
    run_is(job->run, RUN_CALLS);
    job->child = fork();
    run_is(job->run, RUN_TOUCHES);
    if (job->child == 0)
        live_in_child(job->run);
}

bool run_fork(struct run *run)
{
    int status = 0;
    struct fork_job job = {.run = run};
    if (is_one_thread(run) || run->round > 0)
        return true;
    run_in_member(run, do_fork, &job);
    if (job.child < 0)
        return true; /* the machine's limit, not the subject's */
    enum fork_end end = fork_wait(job.child, CHILD_CPU_MS, CHILD_IDLE_MS, &status);
    return judge_child(run, end, status) && run_sweep(run, "after a fork");
}
