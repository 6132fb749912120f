/* SPDX-License-Identifier: MIT */
/* The main thread calls exit while the others allocate. Its handlers allocate and free too; the
 * others go on until the process is gone. */
#include "adversity/torture/roles.h"
#include "adversity/torture/scenarios.h"

enum { HANDLERS = 4, STEPS = 60 };

static void at_exit(void)
{
    role_handoff_steps(worker_main(), STEPS);
}

static void for_ever(struct worker *worker)
{
    for (;;)
        role_handoff_steps(worker, STEPS);
}

void scenario_atexit(void)
{
    for (unsigned i = 0; i < HANDLERS; i++)
        atexit(at_exit);
    workers_start(0, workers_to_start(), for_ever);
    while (!torture_is_over())
        usleep(1000);
    torture_end();
    exit(0);
}
