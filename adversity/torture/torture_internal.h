/* SPDX-License-Identifier: MIT */
/* What torture*.c share: one process of a scenario, and the look at what its threads do. */
#ifndef TORTURE_INTERNAL_H
#define TORTURE_INTERNAL_H

#include "adversity/torture/child.h"
#include "adversity/torture/torture.h"

#include <sys/types.h>

/* The moment-to-moment choices of one process. */
struct torture_mode {
    uint64_t seed;
    bool on_one_processor;
    unsigned pace_us;
};
/* Of process `i`: on all processors and on one, with interruptions and without. */
struct torture_mode torture_mode_of(const struct torture_plan *plan, unsigned i);

/* Runs one process and adds what it did to the result. Returns 0 or a positive errno with a
 * sentence. */
int torture_run_process(const struct torture_plan *plan, const struct torture_mode *mode,
                        struct torture_result *result, char error[SUBJECT_ERROR_MAX]);

/* All threads of all processes of a process group. */
struct group_state {
    /* processor time used, and how many times a thread was given the processor */
    uint64_t cpu_us, turns;
    unsigned threads, blocked;
};
struct group_state group_observe(pid_t group);

/* Does a process make progress? */
struct stall {
    uint64_t position;    /* last seen */
    unsigned position_ms; /* when it last changed; 0: never seen */
    /* the first look since then, and its time; anew when threads come or go */
    struct group_state first;
    unsigned first_ms;
    struct group_state now;  /* the latest look */
    uint64_t quiet_cpu_us;   /* when it became quiet: all blocked, no processor time used */
    unsigned quiet_since_ms; /* likewise */
};
/* Returns whether the group is stuck. Looks at it only when its position stands still. */
bool stall_observe(struct stall *stall, pid_t group, uint64_t position, unsigned now_ms);

#endif
