/* SPDX-License-Identifier: MIT */
/* Forks, trims, hand-offs, and short lives with destructors, at once. */
#include "adversity/torture/roles.h"
#include "adversity/torture/scenarios.h"

void scenario_mix(void)
{
    enum { LONG_LIVED = 4 };
    unsigned short_lived = workers_to_start() - LONG_LIVED;
    make_tls_keys();
    workers_start(0, 1, role_fork);
    workers_start(1, 1, role_trim);
    workers_start(2, LONG_LIVED - 2, role_handoff);
    while (!torture_is_over()) {
        workers_start(LONG_LIVED, short_lived, role_tls_life);
        workers_join(LONG_LIVED, short_lived);
    }
    workers_join(0, LONG_LIVED);
    boxes_drain(worker_main());
}
