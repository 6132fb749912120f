/* SPDX-License-Identifier: MIT */
/*
 * When is a group of processes stuck? Wall time alone says nothing on a loaded machine. So no call
 * has returned, and
 *
 *   a deadlock:  every thread is blocked in the kernel and none has used the processor for ten
 *                seconds, in which a control process of the same priority got its share of it;
 *                much less is enough if every thread waits for another of its own process; or
 *   a retry:     for thirty seconds threads were given the processor again and again and gave it
 *                back at once, as locks do that yield or sleep; work that is only starved uses up
 *                its turns; or
 *   a livelock:  much processor time went by.
 */
#include "harness/process/stall.h"

enum {
    LOOK_AFTER_MS = 1000,
    STUCK_MS = 10000,
    RETRY_MS = 30000,
    QUIET_CPU_US = 20000,
    QUIET_TURNS = 150, /* of about five hundred on an idle machine */
    LIVELOCK_CPU_US = 10000000,
    RETRY_TURNS = 200,
    RETRY_TURN_US = 100
};

/* Nobody else can end that, however busy the machine is. */
static bool is_locked(struct stall *stall, uint64_t now_ms)
{
    if (!proc_group_is_locked(&stall->now))
        stall->locked_since_ms = 0;
    else if (stall->locked_since_ms == 0)
        stall->locked_since_ms = now_ms;
    return stall->locked_since_ms != 0 && now_ms - stall->locked_since_ms >= PROC_LOCKED_MS;
}

static void start_quiet(struct stall *stall, uint64_t now_ms, uint64_t turns)
{
    stall->quiet_since_ms = now_ms;
    stall->quiet_turns = turns;
    stall->quiet_cpu_us = stall->now.cpu_us;
}

enum stall_kind stall_observe(struct stall *stall, pid_t group, uint64_t position, uint64_t now_ms,
                              uint64_t (*read_turns)(void))
{
    if (position != stall->position || stall->position_ms == 0) {
        *stall = (struct stall){.position = position, .position_ms = now_ms};
        return STALL_NONE;
    }
    if (now_ms - stall->position_ms < LOOK_AFTER_MS)
        return STALL_NONE;
    stall->now = proc_read_group(group);
    uint64_t control = read_turns();
    if (stall->now.members != stall->first.members) {
        stall->first = stall->now;
        stall->first_ms = now_ms;
        start_quiet(stall, now_ms, control);
        return STALL_NONE;
    }
    if (is_locked(stall, now_ms))
        return STALL_DEADLOCK;
    uint64_t cpu_us = stall->now.cpu_us - stall->first.cpu_us,
             turns = stall->now.turns - stall->first.turns;
    if (stall->now.blocked < stall->now.threads ||
        stall->now.cpu_us - stall->quiet_cpu_us > QUIET_CPU_US)
        start_quiet(stall, now_ms, control);
    if (now_ms - stall->quiet_since_ms >= STUCK_MS && control - stall->quiet_turns >= QUIET_TURNS)
        return STALL_DEADLOCK;
    if (now_ms - stall->first_ms >= RETRY_MS && turns >= RETRY_TURNS &&
        cpu_us < turns * RETRY_TURN_US)
        return STALL_RETRY;
    return cpu_us >= LIVELOCK_CPU_US ? STALL_LIVELOCK : STALL_NONE;
}
