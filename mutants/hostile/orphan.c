/* SPDX-License-Identifier: MIT */
/* Leaves a process behind that nothing but SIGKILL ends. */
#include "hostile.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

void *malloc(size_t size)
{
    if (size == HOSTILE_SIZE && fork() == 0) {
        prctl(PR_SET_NAME, "hostile-orphan");
        for (int number = 1; number < 32; number++)
            signal(number, SIG_IGN);
        for (;;)
            pause();
    }
    return hostile_take(size);
}
