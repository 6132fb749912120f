/* SPDX-License-Identifier: MIT */
/*
 * One process at a time. A hang ends by its own CPU limit; here only deadlocks are ended, and what
 * shows one is no clock but that no thread of the process used the processor, or wanted to, for
 * long.
 */
#include "adversity/growth/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TICK_MS = 5, LOOK_MS = 1000, BLOCKED_LOOKS = 30, FIRST_HIGH = 64 };
/* Some allocators (jemalloc, Scudo) want more static TLS than glibc keeps free for libraries that
 * are opened late. */
#define TUNABLES "glibc.rtld.optional_static_tls=65536"

struct process {
    pid_t pid;
    int output; /* what it prints; a pipe that never blocks */
    struct growth_report *report;
    unsigned looks_blocked;
    unsigned long long ticks; /* of CPU, at the last look */
};

/* What a thread's state and CPU time are, from its line in /proc. */
static bool read_thread(const char *path, char *ret_state, unsigned long long *ret_ticks)
{
    char line[512];
    FILE *file = fopen(path, "re");
    bool is_read = file != NULL && fgets(line, sizeof line, file) != NULL;
    if (file != NULL)
        fclose(file);
    const char *rest = is_read ? strrchr(line, ')') : NULL;
    unsigned long long user, system;
    if (rest == NULL || sscanf(rest, ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
                               ret_state, &user, &system) != 3)
        return false;
    *ret_ticks = user + system;
    return true;
}

/* Whether every thread sleeps; their CPU time together. */
static bool sleeps(pid_t pid, unsigned long long *ret_ticks)
{
    char path[64 + sizeof(((struct dirent *)NULL)->d_name)];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *folder = opendir(path);
    bool is_asleep = folder != NULL;
    *ret_ticks = 0;
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        char state = 'R';
        unsigned long long ticks = 0;
        snprintf(path, sizeof path, "/proc/%d/task/%s/stat", (int)pid, entry->d_name);
        if (entry->d_name[0] == '.' || !read_thread(path, &state, &ticks))
            continue;
        is_asleep &= state == 'S';
        *ret_ticks += ticks;
    }
    if (folder != NULL)
        closedir(folder);
    return is_asleep;
}

static bool is_blocked(struct process *process)
{
    unsigned long long ticks;
    bool is_asleep = sleeps(process->pid, &ticks) && ticks == process->ticks;
    process->ticks = ticks;
    process->looks_blocked = is_asleep ? process->looks_blocked + 1 : 0;
    return process->looks_blocked >= BLOCKED_LOOKS;
}

static _Noreturn void become(const struct subject_plan *subject, const struct growth_order *order,
                             const int ends[4])
{
    char program[PATH_MAX], count[24], size[24];
    if (!subject_plan_program(subject, "mallet-growth", program))
        _exit(127);
    snprintf(count, sizeof count, "%zu", order->count);
    snprintf(size, sizeof size, "%zu", order->size);
    for (int i = 0; i < 4; i++)
        dup2(ends[i], i);
    setpgid(0, 0);
    setenv("GLIBC_TUNABLES", TUNABLES, 1);
    unsetenv("LD_PRELOAD");
    if (subject_plan_preload(subject) != NULL)
        setenv("LD_PRELOAD", subject_plan_preload(subject), 1);
    execl(program, program, subject_binding_name(subject->binding), subject->what, order->shape,
          order->is_counting ? GROWTH_COUNTING : GROWTH_PLAIN, count, size, (char *)NULL);
    _exit(127);
}

static int make_high(int descriptor)
{
    int high = descriptor < 0 ? -1 : fcntl(descriptor, F_DUPFD_CLOEXEC, FIRST_HIGH);
    if (descriptor >= 0)
        close(descriptor);
    return high;
}

static int open_ends(struct process *process, int ends[4])
{
    int pair[2] = {-1, -1};
    ends[0] = make_high(open("/dev/null", O_RDONLY | O_CLOEXEC));
    ends[GROWTH_REPORT] = make_high(memfd_create("mallet-report", MFD_CLOEXEC));
    if (ends[0] < 0 || ends[GROWTH_REPORT] < 0 ||
        ftruncate(ends[GROWTH_REPORT], sizeof *process->report) != 0 ||
        pipe2(pair, O_CLOEXEC | O_NONBLOCK) != 0)
        return errno;
    process->output = pair[0];
    ends[1] = ends[2] = make_high(pair[1]);
    process->report = mmap(NULL, sizeof *process->report, PROT_READ | PROT_WRITE, MAP_SHARED,
                           ends[GROWTH_REPORT], 0);
    return process->report == MAP_FAILED ? errno : 0;
}

static void close_ends(const int ends[4])
{
    close(ends[0]);
    close(ends[1]);
    close(ends[GROWTH_REPORT]);
}

/* Keeps the first line, throws the rest away. */
static void drain(int output, char kept[GROWTH_OUTPUT_MAX])
{
    char chunk[4096];
    ssize_t got;
    for (int chunks = 0; chunks < 16 && (got = read(output, chunk, sizeof chunk)) > 0; chunks++) {
        size_t used = strlen(kept);
        for (ssize_t i = 0;
             i < got && used + 1 < GROWTH_OUTPUT_MAX && (chunk[i] != '\n' || used == 0); i++)
            if (chunk[i] != '\n')
                kept[used++] = chunk[i];
    }
}

static void make_printable(char *text, size_t capacity)
{
    text[capacity - 1] = '\0';
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

static void wait_for_end(struct process *process, struct growth_ending *ending)
{
    unsigned waited = 0;
    while (waitpid(process->pid, &ending->status, WNOHANG) == 0) {
        poll(NULL, 0, waited < 20 ? 1 : TICK_MS);
        drain(process->output, ending->output);
        if (++waited % (LOOK_MS / TICK_MS) == 0 && !ending->is_blocked && is_blocked(process)) {
            ending->is_blocked = true;
            kill(-process->pid, SIGKILL);
        }
    }
    kill(-process->pid, SIGKILL); /* what it left running: it leads a process group */
    drain(process->output, ending->output);
    ending->report = *process->report;
    make_printable(ending->report.sentence, sizeof ending->report.sentence);
    make_printable(ending->output, sizeof ending->output);
    if (ending->report.sample_count > SAMPLES_MAX)
        ending->report.sample_count = SAMPLES_MAX;
}

int growth_process(const struct subject_plan *subject, const struct growth_order *order,
                   struct growth_ending *ret_ending)
{
    struct process process = {.output = -1, .report = MAP_FAILED};
    int ends[4] = {-1, -1, -1, -1};
    *ret_ending = (struct growth_ending){0};
    int result = open_ends(&process, ends);
    if (result == 0) {
        process.pid = fork();
        if (process.pid == 0)
            become(subject, order, ends);
        result = process.pid < 0 ? errno : 0;
    }
    close_ends(ends);
    if (result == 0)
        wait_for_end(&process, ret_ending);
    if (process.report != MAP_FAILED)
        munmap(process.report, sizeof *process.report);
    close(process.output);
    return result;
}
