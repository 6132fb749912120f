/* SPDX-License-Identifier: MIT */
/* For an exported program whose finding is a call that does not return. Under a limit of CPU time
 * the kernel sends SIGXCPU at the limit and after each second beyond it: whether a call returned
 * between two of them tells a slow allocator from a hung one. */

#include <signal.h>

static void on_time_over(int number)
{
    static uint64_t before;
    uint64_t now = __atomic_load_n(&growth_report->calls, __ATOMIC_RELAXED) + 1;
    (void)number;
    if (before != 0)
        _exit(now == before ? 1 : 2); /* 2: no verdict */
    before = now;
}

__attribute__((constructor)) static void watch_time(void)
{
    signal(SIGXCPU, on_time_over);
}
