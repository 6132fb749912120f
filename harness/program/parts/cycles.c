/* SPDX-License-Identifier: MIT */
/* Growth from cycle to cycle. */
#include "harness/program/parts/fail.h"

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

/* Two halves of equal length, the fewest cycles to the most; what failures lose may end after a few
 * hundred cycles. */
static void watch_cycles(int fewest, int most)
{
    for (int i = 0; i < 16; i++) /* caches may fill */
        cycle();
    for (int half = fewest; half <= most; half *= 4) {
        long start = resident();
        for (int i = 0; i < half; i++)
            cycle();
        long middle = resident();
        for (int i = 0; i < half; i++)
            cycle();
        long last = resident();
        if (middle - start >= 1 << 18 && last - middle > (middle - start) / 2)
            FAIL("%d cycles that free everything grew memory by %ld bytes, as many again by %ld\n",
                 half, middle - start, last - middle);
    }
}
