/* SPDX-License-Identifier: MIT */
/* Growth from cycle to cycle. */
#include "harness/program/parts/fail.h"

#include "harness/base/trend.h"

#include <fcntl.h>
#include <stdlib.h>

static long resident(void)
{
    char text[64] = "", *end;
    int file = open("/proc/self/statm", O_RDONLY);
    if (file < 0 || read(file, text, sizeof text - 1) <= 0)
        FAIL("cannot read /proc/self/statm\n");
    close(file);
    strtol(text, &end, 10);
    return strtol(end, NULL, 10) * getpagesize();
}

/* So many cycles at most, each of which frees so many blocks, of so many bytes in all. */
static void watch_cycles(uint64_t most, uint64_t frees, uint64_t bytes)
{
    struct trend trend = trend_begin(0);
    enum trend_state state = TREND_OPEN;
    trend.least_frees = TREND_LEAST_FREES;
#ifdef WITH_FAULTS
    trend.enough_bytes = (uint64_t)16 << 20; /* what a failure loses, no cache has */
#endif
    for (uint64_t done = 0; state == TREND_OPEN && trend.next_look <= most;) {
        for (; done < trend.next_look; done++)
            cycle();
        struct trend_freed freed = {done * frees, done * bytes};
        state = trend_look(&trend, freed, (uint64_t)resident());
    }
    if (state == TREND_OPEN && trend_is_suspicious(&trend))
        _exit(2); /* it may be a leak, and these cycles were too few to tell */
    if (state == TREND_GROWS)
        FAIL("%llu cycles that free everything grew memory by %llu bytes, steadily\n",
             (unsigned long long)trend.next_look / 2, (unsigned long long)trend_growth(&trend));
}
