/* SPDX-License-Identifier: MIT */
/* As handoff, with interruptions as fast as they go: the table says how fast. The handler allocates
 * nothing: that would be the program's own error. */
#include "adversity/torture/roles.h"
#include "adversity/torture/scenarios.h"

void scenario_signals(void)
{
    scenario_handoff();
}
