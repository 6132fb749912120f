/* SPDX-License-Identifier: MIT */
/* Watching a child to its end. */
#include "harness/process/process.h"

#include "harness/base/clock.h"
#include "harness/base/text.h"
#include "harness/process/control.h"
#include "harness/process/guard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    POLLED_MAX = 64,
    WAIT_MS = 100, /* a wall limit is exact to that much */
    BLIND_MS = 10, /* where the kernel does not tell of an end */
    LOOK_MS = 500, /* between looks at a stall */
    OUTPUT_CHUNKS = 16
};

/* ---- output ---- */

static void close_output(struct process *process)
{
    if (process->output != 0)
        close(process->output);
    process->output = 0;
}

size_t process_read(struct process *process, void *ret_bytes, size_t size)
{
    ssize_t got;
    if (process->output == 0)
        return 0;
    do
        got = read(process->output, ret_bytes, size);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        close_output(process); /* nobody writes any more; a poll would not sleep */
    return got > 0 ? (size_t)got : 0;
}

/* A bounded part of what there is: one that never stops to print must not stop us. */
static void take_output(struct process *process)
{
    char chunk[4096];
    size_t got;
    for (int i = 0; i < OUTPUT_CHUNKS && process->keeps_line; i++) {
        if ((got = process_read(process, chunk, sizeof chunk)) == 0)
            return;
        text_keep_line(process->line, sizeof process->line, chunk, got);
    }
}

void process_take_line(struct process *process, char *ret_line, size_t capacity)
{
    take_output(process);
    text_copy_line(ret_line, capacity, process->line);
    process->line[0] = '\0';
}

/* ---- ending ---- */

void process_signal(const struct process *process, int signal)
{
    if (process->pid > 0)
        kill(process->pid, signal);
}

/* It may not have become the leader of its group yet. */
static void kill_group(const struct process *process)
{
    if (process->pid <= 0)
        return;
    if (process->is_alone)
        kill(-process->pid, SIGKILL);
    kill(process->pid, SIGKILL);
}

/* Still a zombie, so that its number means nobody else. */
static void end(struct process *process)
{
    if (process->is_alone) {
        kill_group(process);
        guard_withdraw(process->pid);
    }
    while (waitpid(process->pid, &process->status, 0) < 0 && errno == EINTR)
        ;
    process->pid = 0;
    if (process->end != 0)
        close(process->end);
    process->end = 0;
    take_output(process);
}

static void look_for_stall(struct process *process, uint64_t now_ms)
{
    if (process->read_position == NULL || now_ms - process->looked_ms < LOOK_MS)
        return;
    process->looked_ms = now_ms;
    enum stall_kind kind = stall_observe(&process->stall, process->pid,
                                         process->read_position(process), now_ms, control_turns);
    process->is_stuck = kind != STALL_NONE && !(kind == STALL_LIVELOCK && process->has_cpu_limit);
}

static void apply_limits(struct process *process)
{
    uint64_t now_ms = clock_now_ms();
    if (process->is_timed_out || process->is_stuck || process->was_cancelled)
        return;
    process->was_cancelled = process->is_cancelled != NULL && process->is_cancelled();
    process->is_timed_out =
        process->wall_limit_ms != 0 && now_ms - process->started_ms >= process->wall_limit_ms;
    look_for_stall(process, now_ms);
    if (process->is_timed_out || process->is_stuck || process->was_cancelled)
        kill_group(process);
}

bool process_has_ended(struct process *process)
{
    siginfo_t info = {0};
    if (process->pid == 0)
        return true;
    take_output(process);
    if (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid == process->pid) {
        end(process);
        return true;
    }
    apply_limits(process);
    return false;
}

/* As poll skips it. */
static int fd_or_none(int descriptor)
{
    return descriptor != 0 ? descriptor : -1;
}

void process_poll(struct process *const processes[], size_t count, unsigned wait_ms)
{
    struct pollfd polls[2 * POLLED_MAX];
    nfds_t used = 0;
    for (size_t i = 0; i < count && i < POLLED_MAX; i++) {
        const struct process *process = processes[i];
        if (process == NULL || process->pid == 0)
            continue;
        if (process->end == 0 && wait_ms > BLIND_MS)
            wait_ms = BLIND_MS;
        polls[used++] = (struct pollfd){.fd = fd_or_none(process->end), .events = POLLIN};
        polls[used++] = (struct pollfd){.fd = fd_or_none(process->output), .events = POLLIN};
    }
    poll(polls, used, (int)wait_ms);
}

void process_wait(struct process *process)
{
    while (!process_has_ended(process))
        process_poll(&process, 1, WAIT_MS);
}

bool process_wait_for(struct process *process, unsigned limit_ms)
{
    uint64_t limit = clock_now_ms() + limit_ms;
    while (!process_has_ended(process)) {
        uint64_t now = clock_now_ms();
        if (now >= limit)
            return false;
        process_poll(&process, 1, limit - now < WAIT_MS ? (unsigned)(limit - now) : WAIT_MS);
    }
    return true;
}

void process_kill(struct process *process)
{
    kill_group(process);
    process->wall_limit_ms = 0;
    process->read_position = NULL;
    process_wait(process);
}

void process_stop(struct process *process, int signal, unsigned grace_ms)
{
    process_signal(process, signal);
    if (!process_wait_for(process, grace_ms))
        process_kill(process);
}

void process_release(struct process *process)
{
    if (process->pid != 0)
        process_kill(process);
    for (size_t i = 0; i < PROCESS_MEMORY_MAX; i++) {
        if (process->memory[i] != NULL)
            munmap(process->memory[i], process->memory_size[i]);
        process->memory[i] = NULL;
    }
    close_output(process);
}

int process_run(const struct process_plan *plan, struct process *ret_process)
{
    int result = process_spawn(plan, ret_process);
    if (result != 0)
        return result;
    process_wait(ret_process);
    process_release(ret_process);
    return 0;
}
