/* SPDX-License-Identifier: MIT */
/* libFuzzer reads (and clears) counters in a section of this name. A replay has no use for them.
 * AFL++: guidance_afl.c. */
#include "fuzz/guidance.h"

#include "harness/run/run.h"

#include <string.h>

__attribute__((section("__libfuzzer_extra_counters"), used)) static uint8_t counters[RUN_FEATURES];

uint8_t *guidance_begin(void)
{
    memset(counters, 0, sizeof(counters));
    return counters;
}

void guidance_end(void) {}
