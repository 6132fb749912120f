/* SPDX-License-Identifier: MIT */
/* Leaves a process behind that has a session of its own and no parent: neither a signal to its
 * maker's group nor the death of its maker reaches it. */
#include "hostile.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void leave_orphan(void)
{
    pid_t parent = fork();
    if (parent != 0) {
        waitpid(parent, NULL, 0);
        return;
    }
    setsid();
    if (fork() != 0)
        _exit(0);
    for (int number = 1; number < 32; number++)
        signal(number, SIG_IGN);
    for (;;)
        pause();
}

void *malloc(size_t size)
{
    if (size == HOSTILE_SIZE)
        leave_orphan();
    return hostile_take(size);
}
