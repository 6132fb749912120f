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

/* Runs one process and adds what it did to the result. Returns 0 or a positive errno with a sentence. */
int torture_run_process(const struct torture_plan *plan, const struct torture_mode *mode, struct torture_result *result,
                        char error[SUBJECT_ERROR_MAX]);

/* All threads of all processes of a process group. */
struct group_state {
    uint64_t cpu_ms;
    unsigned threads, blocked;
};
struct group_state group_observe(pid_t group);

/* Does a process make progress? */
struct stall {
    uint64_t position;             /* last seen */
    unsigned since_ms;             /* when it last changed */
    unsigned quiet_since_ms;       /* since then all are blocked and none uses the processor */
    uint64_t cpu_ms, quiet_cpu_ms; /* used when position changed; when it became quiet */
    struct group_state state;
};
/* Returns whether the group is stuck. Looks at it only when its position stands still. */
bool stall_observe(struct stall *stall, pid_t group, uint64_t position, unsigned now_ms);

#endif
