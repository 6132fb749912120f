/* SPDX-License-Identifier: MIT */
/* One thread forks while the others are anywhere in the allocator. The child has that thread alone
 * and must be able to use all of the family. */
#include "adversity/torture/roles.h"
#include "adversity/torture/scenarios.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { INHERITED = 16, STEPS = 120 };

static _Noreturn void live_as_child(struct worker *worker, struct block inherited[INHERITED],
                                    bool calls_exit)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a child that hangs ends with its parent */
    for (unsigned i = 0; i < INHERITED; i++) {
        block_check(worker, &inherited[i], "in the child of a fork");
        if (i % 2 == 0)
            block_resize(worker, &inherited[i], inherited[i].size * 2);
    }
    role_handoff_steps(worker, STEPS);
    for (unsigned i = 0; i < INHERITED; i++)
        block_drop(worker, &inherited[i]);
    if (calls_exit)
        exit(0);
    _exit(0);
}

static void judge_end(struct worker *worker, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_FOUND)
        _exit(STATUS_FOUND);
    if (WIFSIGNALED(status))
        torture_fail(worker, "crash", "fork", "the child of a fork by thread %u died of signal %d",
                     worker->id, WTERMSIG(status));
    if (WEXITSTATUS(status) != 0)
        torture_fail(worker, "crash", "fork", "the child of a fork by thread %u called exit(%d)",
                     worker->id, WEXITSTATUS(status));
}

static void fork_once(struct worker *worker, struct block inherited[INHERITED], bool may_exit)
{
    int status = 0;
    /* which runs the destructors of the library too */
    bool calls_exit = may_exit && torture_random(worker, 3) == 0;
    pid_t child = fork();
    if (child == 0)
        live_as_child(worker, inherited, calls_exit);
    if (child < 0)
        return; /* the system has no room for one now: not the subject's fault */
    atomic_fetch_add(&torture_report->forks, 1);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    judge_end(worker, status);
}

static void fork_until_over(struct worker *worker, bool may_exit)
{
    struct block inherited[INHERITED];
    for (unsigned i = 0; i < INHERITED; i++)
        block_make(worker, &inherited[i], 4096);
    while (!torture_is_over()) {
        fork_once(worker, inherited, may_exit);
        unsigned changed = torture_random(worker, INHERITED);
        block_drop(worker, &inherited[changed]);
        block_make(worker, &inherited[changed], 4096);
    }
    for (unsigned i = 0; i < INHERITED; i++)
        block_drop(worker, &inherited[i]);
}

void role_fork(struct worker *worker)
{
    fork_until_over(worker, true);
}

void role_fork_without_exit(struct worker *worker)
{
    fork_until_over(worker, false);
}

void scenario_fork(void)
{
    workers_start(0, 1, role_fork);
    workers_start(1, workers_to_start() - 1, role_handoff);
    workers_join(0, workers_to_start());
    boxes_drain(worker_main());
}
