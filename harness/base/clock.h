/* SPDX-License-Identifier: MIT */
/*
 * The clocks of the harness. Durations are measured on the monotonic clock, which nobody sets; work
 * is measured as processor time, so that a loaded machine changes no verdict. Allocates nothing.
 */
#ifndef HARNESS_CLOCK_H
#define HARNESS_CLOCK_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* 0 if the clock cannot be read. */
static inline uint64_t clock_read_ns(clockid_t clock)
{
    struct timespec now;
    return clock_gettime(clock, &now) == 0
               ? (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec
               : 0;
}

static inline uint64_t clock_now_ns(void)
{
    return clock_read_ns(CLOCK_MONOTONIC);
}

static inline uint64_t clock_now_ms(void)
{
    return clock_now_ns() / 1000000;
}

/* Processor time of this process, all its threads. */
static inline uint64_t clock_cpu_ns(void)
{
    return clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* Processor time of another process, all its threads; 0 if it is gone. */
static inline uint64_t clock_cpu_ms_of(pid_t pid)
{
    clockid_t clock;
    return clock_getcpuclockid(pid, &clock) == 0 ? clock_read_ns(clock) / 1000000 : 0;
}

#endif
