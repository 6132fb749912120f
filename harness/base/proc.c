/* SPDX-License-Identifier: MIT */
/* Threads and processes may vanish between two reads: whatever cannot be read is left out. */
#include "harness/base/proc.h"
#include "harness/base/random.h"

#include <ctype.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATH_SIZE = 64 };

static bool read_text(const char *path, char *ret_text, size_t capacity)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? read(file, ret_text, capacity - 1) : -1;
    if (file >= 0)
        close(file);
    ret_text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

/* Behind the name in brackets: state, parent, process group, session. */
static bool read_stat(const char *path, struct proc_stat *ret_stat)
{
    char text[1024];
    const char *behind = read_text(path, text, sizeof text) ? strrchr(text, ')') : NULL;
    return behind != NULL && sscanf(behind + 1, " %c %*d %d %d", &ret_stat->state, &ret_stat->group,
                                    &ret_stat->session) == 3;
}

bool proc_own_program(char *ret_path, size_t capacity)
{
    ssize_t length = readlink("/proc/self/exe", ret_path, capacity - 1);
    ret_path[length > 0 ? length : 0] = '\0';
    return length > 0;
}

bool proc_own_folder(char *ret_path, size_t capacity)
{
    char *slash = proc_own_program(ret_path, capacity) ? strrchr(ret_path, '/') : NULL;
    if (slash != NULL)
        *slash = '\0';
    return slash != NULL;
}

bool proc_read_stat(pid_t pid, struct proc_stat *ret_stat)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    return read_stat(path, ret_stat);
}

/* Nanoseconds on a processor, nanoseconds of waiting for one, turns. */
static bool read_turns(const char *path, unsigned long long *ret_cpu_ns,
                       unsigned long long *ret_turns)
{
    char text[128];
    return read_text(path, text, sizeof text) &&
           sscanf(text, "%llu %*u %llu", ret_cpu_ns, ret_turns) == 2;
}

/*
 * The call that it is blocked in: its number and six arguments. A futex that is not private may
 * belong to other processes too; one that a thread joins another by has that one's number as its
 * value.
 */
static bool is_thread_locked(const char *process, const char *thread)
{
    char path[PATH_SIZE], text[256];
    unsigned long long number, operation, value, timeout;
    snprintf(path, sizeof path, "/proc/%.16s/task/%.16s/syscall", process, thread);
    if (!read_text(path, text, sizeof text) ||
        sscanf(text, "%llu %*x %llx %llx %llx", &number, &operation, &value, &timeout) != 4 ||
        number != SYS_futex || timeout != 0)
        return false;
    if ((operation & FUTEX_PRIVATE_FLAG) != 0)
        return true;
    snprintf(path, sizeof path, "/proc/%.16s/task/%llu", process, value);
    return value != 0 && access(path, F_OK) == 0;
}

/* A thread that ends between the two reads counts for nothing: with one of them only, the group
 * would have used less processor time than before. */
static void add_thread(const char *process, const char *thread, struct proc_group *group)
{
    char path[PATH_SIZE];
    struct proc_stat stat;
    unsigned long long cpu_ns, turns;
    snprintf(path, sizeof path, "/proc/%.16s/task/%.16s/stat", process, thread);
    if (!read_stat(path, &stat))
        return;
    snprintf(path, sizeof path, "/proc/%.16s/task/%.16s/schedstat", process, thread);
    if (!read_turns(path, &cpu_ns, &turns))
        return;
    group->threads++;
    group->members += random_mix(strtoul(thread, NULL, 10));
    group->blocked += stat.state == 'S' || stat.state == 'Z';
    group->ended += stat.state == 'Z';
    group->locked += stat.state == 'S' && is_thread_locked(process, thread);
    group->cpu_us += cpu_ns / 1000;
    group->turns += turns;
}

struct entry { /* as getdents64(2) writes it */
    uint64_t number;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

/* Calls visit for each entry of a folder whose name is a number. */
static void for_each_number(const char *path, void (*visit)(const char *name, void *context),
                            void *context)
{
    _Alignas(struct entry) char entries[4096];
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long length;
    while (folder >= 0 && (length = syscall(SYS_getdents64, folder, entries, sizeof entries)) > 0)
        for (long at = 0; at < length;) {
            const struct entry *entry = (const struct entry *)(const void *)(entries + at);
            if (isdigit((unsigned char)entry->name[0]))
                visit(entry->name, context);
            at += entry->length;
        }
    if (folder >= 0)
        close(folder);
}

struct group_visit {
    pid_t group;
    const char *process;
    struct proc_group *sum;
};

static void visit_thread(const char *name, void *context)
{
    const struct group_visit *visit = context;
    add_thread(visit->process, name, visit->sum);
}

static void visit_process(const char *name, void *context)
{
    char path[PATH_SIZE];
    struct proc_stat stat;
    struct group_visit *visit = context;
    if (!proc_read_stat(atoi(name), &stat) || stat.group != visit->group)
        return;
    visit->process = name;
    snprintf(path, sizeof path, "/proc/%.16s/task", name);
    for_each_number(path, visit_thread, visit);
}

bool proc_group_is_locked(const struct proc_group *group)
{
    return group->locked > 0 && group->locked + group->ended == group->threads;
}

bool proc_is_locked(pid_t process)
{
    char name[16], path[PATH_SIZE];
    struct proc_group sum = {0};
    snprintf(name, sizeof name, "%d", (int)process);
    snprintf(path, sizeof path, "/proc/%s/task", name);
    for_each_number(path, visit_thread, &(struct group_visit){.process = name, .sum = &sum});
    return proc_group_is_locked(&sum);
}

struct proc_group proc_read_group(pid_t group)
{
    struct proc_group sum = {0};
    struct group_visit visit = {.group = group, .sum = &sum};
    for_each_number("/proc", visit_process, &visit);
    return sum;
}

struct session_visit {
    pid_t session;
    unsigned alive;
};

static void kill_if_in_session(const char *name, void *context)
{
    struct session_visit *visit = context;
    struct proc_stat stat;
    pid_t pid = atoi(name);
    if (!proc_read_stat(pid, &stat) || stat.session != visit->session || stat.state == 'Z')
        return;
    kill(pid, SIGKILL);
    visit->alive++;
}

unsigned proc_kill_session(pid_t session)
{
    struct session_visit visit = {.session = session};
    for_each_number("/proc", kill_if_in_session, &visit);
    return visit.alive;
}

struct mark_visit {
    const char *mark;
    unsigned alive;
};

/* The environment as it was at the last exec; a zombie has none. */
static bool is_marked(const char *number, const char *mark)
{
    static char text[64 << 10];
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "/proc/%.20s/environ", number);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    size_t used = 0;
    for (ssize_t got = 1; file >= 0 && got > 0 && used < sizeof text; used += (size_t)got)
        if ((got = read(file, text + used, sizeof text - used)) < 0)
            got = 0;
    if (file >= 0)
        close(file);
    return memmem(text, used, mark, strlen(mark)) != NULL;
}

static void kill_if_marked(const char *number, void *context)
{
    struct mark_visit *visit = context;
    pid_t pid = (pid_t)strtol(number, NULL, 10);
    if (pid == getpid() || !is_marked(number, visit->mark))
        return;
    kill(pid, SIGKILL);
    visit->alive++;
}

unsigned proc_kill_marked(const char *mark)
{
    struct mark_visit visit = {.mark = mark};
    for_each_number("/proc", kill_if_marked, &visit);
    return visit.alive;
}
