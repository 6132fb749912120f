/* SPDX-License-Identifier: MIT */
/* Vector clocks: how much of each thread's past a thread knows. The race detector and the order of
 * atomics are built on them. */
#ifndef INTERLEAVE_CLOCK_H
#define INTERLEAVE_CLOCK_H

#include <stdint.h>

enum { THREADS_MAX = 6 }; /* thread 0 prepares and ends the scenario; the others run it */

struct clock {
    uint16_t of[THREADS_MAX];
};

static inline void clock_join(struct clock *clock, const struct clock *other)
{
    for (int i = 0; i < THREADS_MAX; i++)
        if (clock->of[i] < other->of[i])
            clock->of[i] = other->of[i];
}

#endif
