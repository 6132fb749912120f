/* SPDX-License-Identifier: MIT */
/*
 * When is a group of processes stuck? Wall time alone says nothing on a loaded machine. So no call
 * has returned, and
 *
 *   a deadlock:  every thread is blocked in the kernel and none has used the processor for ten
 *                seconds; or
 *   a retry:     for ten seconds threads were given the processor again and again and gave it back
 *                at once, as locks do that yield or sleep; work that is only starved uses up its
 *                turns; or
 *   a livelock:  much processor time went by.
 */
#include "adversity/torture/torture_internal.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>

enum {
    LOOK_AFTER_MS = 1000,
    STUCK_MS = 10000,
    QUIET_CPU_US = 20000,
    LIVELOCK_CPU_US = 10000000,
    RETRY_TURNS = 200,
    RETRY_TURN_US = 100
};

static bool read_text(const char *path, char *ret_text, size_t capacity)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? read(file, ret_text, capacity - 1) : -1;
    if (file >= 0)
        close(file);
    ret_text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

/* Behind the name in brackets, field 3 of /proc/.../stat is the state and field 5 the process
 * group. */
static bool read_stat(const char *path, char *ret_state, int *ret_group)
{
    char text[1024];
    const char *behind = read_text(path, text, sizeof text) ? strrchr(text, ')') : NULL;
    return behind != NULL && sscanf(behind + 1, " %c %*d %d", ret_state, ret_group) == 2;
}

/* Nanoseconds on a processor, nanoseconds of waiting for one, turns. */
static bool read_turns(const char *path, uint64_t *ret_cpu_us, uint64_t *ret_turns)
{
    char text[128];
    unsigned long long cpu_ns, turns;
    if (!read_text(path, text, sizeof text) || sscanf(text, "%llu %*u %llu", &cpu_ns, &turns) != 2)
        return false;
    *ret_cpu_us = cpu_ns / 1000;
    *ret_turns = turns;
    return true;
}

static void add_threads(const char *process, struct group_state *state)
{
    char path[64], task_state;
    snprintf(path, sizeof path, "/proc/%.20s/task", process);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        int group;
        uint64_t cpu_us = 0, turns = 0;
        snprintf(path, sizeof path, "/proc/%.20s/task/%.20s/stat", process, entry->d_name);
        if (!isdigit((unsigned char)entry->d_name[0]) || !read_stat(path, &task_state, &group))
            continue;
        snprintf(path, sizeof path, "/proc/%.20s/task/%.20s/schedstat", process, entry->d_name);
        read_turns(path, &cpu_us, &turns);
        state->threads++;
        state->blocked += task_state == 'S' || task_state == 'Z';
        state->cpu_us += cpu_us;
        state->turns += turns;
    }
    closedir(folder);
}

struct group_state group_observe(pid_t group)
{
    struct group_state state = {0};
    DIR *folder = opendir("/proc");
    if (folder == NULL)
        return state;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[64], state_letter;
        int entry_group;
        snprintf(path, sizeof path, "/proc/%.20s/stat", entry->d_name);
        if (isdigit((unsigned char)entry->d_name[0]) &&
            read_stat(path, &state_letter, &entry_group) && entry_group == group)
            add_threads(entry->d_name, &state);
    }
    closedir(folder);
    return state;
}

static void start_quiet(struct stall *stall, unsigned now_ms)
{
    stall->quiet_since_ms = now_ms;
    stall->quiet_cpu_us = stall->now.cpu_us;
}

bool stall_observe(struct stall *stall, pid_t group, uint64_t position, unsigned now_ms)
{
    if (position != stall->position || stall->position_ms == 0) {
        *stall = (struct stall){.position = position, .position_ms = now_ms};
        return false;
    }
    if (now_ms - stall->position_ms < LOOK_AFTER_MS)
        return false;
    stall->now = group_observe(group);
    if (stall->now.threads != stall->first.threads) {
        stall->first = stall->now;
        stall->first_ms = now_ms;
        start_quiet(stall, now_ms);
        return false;
    }
    uint64_t cpu_us = stall->now.cpu_us - stall->first.cpu_us,
             turns = stall->now.turns - stall->first.turns;
    if (stall->now.blocked < stall->now.threads ||
        stall->now.cpu_us - stall->quiet_cpu_us > QUIET_CPU_US)
        start_quiet(stall, now_ms);
    bool is_deadlock = now_ms - stall->quiet_since_ms >= STUCK_MS;
    bool is_retry = now_ms - stall->first_ms >= STUCK_MS && turns >= RETRY_TURNS &&
                    cpu_us < turns * RETRY_TURN_US;
    return is_deadlock || is_retry || cpu_us >= LIVELOCK_CPU_US;
}
