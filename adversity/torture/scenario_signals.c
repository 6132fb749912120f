/* SPDX-License-Identifier: MIT */
/* As handoff, with interruptions as fast as they go. The handler allocates nothing: that would be the program's own error. */
#include "adversity/torture/roles.h"
#include "adversity/torture/scenarios.h"

enum { PACE_US = 20 };

void scenario_signals(void)
{
    torture_options.pace_us = PACE_US;
    scenario_handoff();
}
