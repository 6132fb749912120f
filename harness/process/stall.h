/* SPDX-License-Identifier: MIT */
/* Tells a child that stands still, or runs in a circle, from one that a loaded machine holds up. */
#ifndef HARNESS_STALL_H
#define HARNESS_STALL_H

#include "harness/base/proc.h"

#include <stdint.h>

/* Whether a process group makes progress. Zeroed: not looked at yet. */
struct stall {
    uint64_t position;    /* last seen */
    uint64_t position_ms; /* when it last changed; 0: never seen */
    /* the first look since then, and its time; anew when threads come or go */
    struct proc_group first;
    uint64_t first_ms;
    struct proc_group now;    /* the latest look */
    uint64_t locked_since_ms; /* as proc_group_is_locked; 0: it is not */
    uint64_t quiet_cpu_us;    /* when it became quiet: all blocked, no processor time used */
    uint64_t quiet_since_ms;  /* likewise */
    uint64_t quiet_turns;     /* of the control process, likewise */
};

enum stall_kind { STALL_NONE, STALL_DEADLOCK, STALL_RETRY, STALL_LIVELOCK };

/* Looks at the group if its position has not changed. Times are clock_now_ms; read_turns is
 * control_turns, asked only once nothing has moved for a while. */
enum stall_kind stall_observe(struct stall *stall, pid_t group, uint64_t position, uint64_t now_ms,
                              uint64_t (*read_turns)(void));

#endif
