/* SPDX-License-Identifier: MIT */
#include "harness/process/fork_wait.h"

#include "harness/base/clock.h"
#include "harness/base/proc.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* BLIND: where the kernel has no descriptor that tells of the end. */
enum { POLL_MS = 50, BLIND_MS = 1 };

static pid_t wait_for(pid_t child, int *ret_status, int options)
{
    pid_t ended;
    do
        ended = waitpid(child, ret_status, options);
    while (ended < 0 && errno == EINTR);
    return ended;
}

enum fork_end fork_wait(pid_t child, unsigned cpu_ms, unsigned idle_ms, int *ret_status)
{
    uint64_t used = 0, idle_since = clock_now_ms(), unlocked = idle_since;
    struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, child, 0), .events = POLLIN};
    enum fork_end end = FORK_ENDED;
    while (wait_for(child, ret_status, WNOHANG) == 0) {
        uint64_t now = clock_now_ms(), uses = clock_cpu_ms_of(child);
        if (uses > used) {
            used = uses;
            idle_since = now;
        }
        if (now - idle_since < PROC_LOCKED_MS || !proc_is_locked(child))
            unlocked = now;
        if (used > cpu_ms || now - idle_since > idle_ms || now - unlocked >= PROC_LOCKED_MS) {
            kill(child, SIGKILL);
            wait_for(child, ret_status, 0);
            end = used > cpu_ms ? FORK_HUNG : FORK_STUCK;
            break;
        }
        poll(&ended, 1, ended.fd >= 0 ? POLL_MS : BLIND_MS);
    }
    if (ended.fd >= 0)
        close(ended.fd);
    return end;
}
