/* SPDX-License-Identifier: MIT */
/* Counters in the section that libFuzzer reads and clears. A replay does not use them. For AFL++
 * see guidance_afl.c. */
#include "fuzz/guidance.h"

#include "harness/run/run.h"

#include <string.h>

__attribute__((section("__libfuzzer_extra_counters"), used)) static uint8_t counters[RUN_COUNTERS];

uint8_t *guidance_begin(void)
{
    memset(counters, 0, sizeof(counters));
    return counters;
}

void guidance_end(void) {}
