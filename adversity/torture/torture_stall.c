/* SPDX-License-Identifier: MIT */
/*
 * When is a group of processes stuck? Wall time alone says nothing on a loaded machine, so: every thread is blocked in the kernel and none has
 * used the processor for ten seconds (a deadlock), or much processor time went by, and no call has returned since.
 */
#include "adversity/torture/torture_internal.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>

enum {
    LOOK_AFTER_MS = 1000,
    DEADLOCK_MS = 10000,
    QUIET_CPU_MS = 20,        /* what a clock tick may charge to a thread that only sleeps */
    LIVELOCK_CPU_MS = 30000,  /* of the group, without a call returned */
    SLOW_DEADLOCK_MS = 60000, /* all blocked whenever looked at, but waking up now and then, as locks that sleep and retry do */
};

/* Fields of /proc/…/stat behind the name in brackets: the state is 3, the group 5, user and system time 14 and 15. */
struct task_stat {
    char state;
    int group;
    uint64_t cpu_ms;
};

static bool read_stat(const char *path, struct task_stat *ret_stat)
{
    char text[1024];
    unsigned long user = 0, system = 0;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? read(file, text, sizeof text - 1) : -1;
    if (file >= 0)
        close(file);
    if (length <= 0)
        return false;
    text[length] = '\0';
    const char *behind = strrchr(text, ')');
    if (behind == NULL ||
        sscanf(behind + 1, " %c %*d %d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &ret_stat->state, &ret_stat->group, &user, &system) != 4)
        return false;
    ret_stat->cpu_ms = (uint64_t)(user + system) * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
    return true;
}

static void add_threads(const char *process, struct group_state *state)
{
    char path[600];
    struct task_stat stat;
    snprintf(path, sizeof path, "/proc/%.20s/task", process);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        snprintf(path, sizeof path, "/proc/%.20s/task/%.20s/stat", process, entry->d_name);
        if (!isdigit((unsigned char)entry->d_name[0]) || !read_stat(path, &stat))
            continue;
        state->threads++;
        state->blocked += stat.state == 'S' || stat.state == 'Z';
        state->cpu_ms += stat.cpu_ms;
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
        char path[64];
        struct task_stat stat;
        snprintf(path, sizeof path, "/proc/%.20s/stat", entry->d_name);
        if (isdigit((unsigned char)entry->d_name[0]) && read_stat(path, &stat) && stat.group == group)
            add_threads(entry->d_name, &state);
    }
    closedir(folder);
    return state;
}

static void start_anew(struct stall *stall, uint64_t position, unsigned now_ms)
{
    *stall = (struct stall){.position = position, .since_ms = now_ms, .quiet_since_ms = now_ms};
}

bool stall_observe(struct stall *stall, pid_t group, uint64_t position, unsigned now_ms)
{
    if (position != stall->position || stall->since_ms == 0) {
        start_anew(stall, position, now_ms);
        return false;
    }
    if (now_ms - stall->since_ms < LOOK_AFTER_MS)
        return false;
    bool is_first_look = stall->state.threads == 0;
    stall->state = group_observe(group);
    if (is_first_look)
        stall->cpu_ms = stall->quiet_cpu_ms = stall->state.cpu_ms;
    bool is_blocked = stall->state.threads > 0 && stall->state.blocked == stall->state.threads;
    if (!is_blocked)
        stall->since_ms = now_ms - LOOK_AFTER_MS; /* the slow rule counts from the last moment that somebody ran or wanted to */
    if (!is_blocked || stall->state.cpu_ms > stall->quiet_cpu_ms + QUIET_CPU_MS || is_first_look) {
        stall->quiet_since_ms = now_ms;
        stall->quiet_cpu_ms = stall->state.cpu_ms;
    }
    return now_ms - stall->quiet_since_ms >= DEADLOCK_MS || now_ms - stall->since_ms >= SLOW_DEADLOCK_MS ||
           stall->state.cpu_ms - stall->cpu_ms >= LIVELOCK_CPU_MS;
}
