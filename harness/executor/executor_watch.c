/* SPDX-License-Identifier: MIT */
/*
 * Waiting for a worker. A hang is CPU time without a new op; the wall limit only catches deadlocks,
 * so that a loaded machine invents no hangs. Whatever the report memory says is taken as a hint: it
 * selects an op, never more.
 */
#include "harness/executor/executor_internal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 50, OUTPUT_CHUNK = 4096, OUTPUT_CHUNKS = 64 };

static uint64_t to_ms(const struct timespec *time)
{
    return (uint64_t)time->tv_sec * 1000 + (uint64_t)time->tv_nsec / 1000000;
}

static uint64_t read_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return to_ms(&now);
}

static uint64_t read_cpu_ms(pid_t pid)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return 0;
    return to_ms(&used);
}

/* Where the worker stands: changes with every op and round. */
static uint64_t read_position(const struct executor *executor)
{
    return (uint64_t)executor->report->progress.round << 32 | executor->report->progress.op;
}

static enum watch_result take_end(struct executor *executor, struct watch *watch)
{
    struct worker_event event;
    ssize_t got = recv(executor->control, &event, sizeof event, 0);
    if (got != (ssize_t)sizeof event || event.magic != PROTOCOL_MAGIC || event.has_ended == 0)
        return WATCH_BROKEN;
    executor->worker = 0;
    watch->status = event.status;
    return WATCH_DIED;
}

static bool take_reply(struct executor *executor, struct watch *watch)
{
    ssize_t got = recv(executor->work, &watch->reply, sizeof watch->reply, MSG_DONTWAIT);
    return got == (ssize_t)sizeof watch->reply && watch->reply.magic == PROTOCOL_MAGIC &&
           watch->reply.sequence == executor->sequence;
}

static enum watch_result kill_worker(struct executor *executor, enum watch_result result)
{
    executor_end_worker(executor);
    return result;
}

enum watch_result executor_watch(struct executor *executor, struct watch *ret_watch)
{
    uint64_t position = UINT64_MAX, cpu_start = 0, wall_start = 0;
    memset(ret_watch, 0, sizeof *ret_watch);
    for (;;) {
        struct pollfd ready[2] = {{.fd = executor->work, .events = POLLIN},
                                  {.fd = executor->control, .events = POLLIN}};
        int count = poll(ready, 2, POLL_MS);
        if (count < 0 && errno != EINTR)
            return WATCH_BROKEN;
        if (count > 0 && (ready[0].revents & POLLIN) && take_reply(executor, ret_watch))
            return WATCH_REPLIED;
        if (count > 0 && ready[1].revents != 0)
            return take_end(executor, ret_watch);
        if (count > 0)
            continue;
        uint64_t cpu = read_cpu_ms(executor->worker), wall = read_wall_ms();
        if (read_position(executor) != position) {
            position = read_position(executor);
            cpu_start = cpu;
            wall_start = wall;
        }
        ret_watch->cpu_ms = (uint32_t)(cpu - cpu_start);
        ret_watch->wall_ms = (uint32_t)(wall - wall_start);
        if (ret_watch->cpu_ms > executor->options.cpu_limit_ms)
            return kill_worker(executor, WATCH_HUNG);
        if (ret_watch->wall_ms > executor->options.wall_limit_ms)
            return kill_worker(executor, WATCH_STUCK);
    }
}

static void describe_end(enum watch_result result, const struct watch *watch, char *ret_text,
                         size_t capacity)
{
    if (result == WATCH_HUNG)
        snprintf(ret_text, capacity, "had used %u ms of CPU without returning", watch->cpu_ms);
    else if (result == WATCH_STUCK)
        snprintf(ret_text, capacity,
                 "had not returned after %u ms, of which %u ms of CPU: a deadlock", watch->wall_ms,
                 watch->cpu_ms);
    else if (WIFSIGNALED(watch->status))
        snprintf(ret_text, capacity, "died of signal %d (%s)", WTERMSIG(watch->status),
                 strsignal(WTERMSIG(watch->status)));
    else if (WEXITSTATUS(watch->status) == CHILD_EXIT_LOST)
        snprintf(ret_text, capacity, "lost descriptor %d, its connection to the harness",
                 CHILD_WORK);
    else
        snprintf(ret_text, capacity, "called exit(%d)", WEXITSTATUS(watch->status));
}

/* The C function of the op's name: "realloc" of "realloc NULL". */
static void name_site(const struct executor *executor, const char *name,
                      char ret_site[VERDICT_SITE_MAX])
{
    bool is_fault = executor->report->progress.os_failures.last != 0;
    snprintf(ret_site, VERDICT_SITE_MAX, "%.*s%s", (int)strcspn(name, " "), name,
             is_fault ? RUN_FAULT_SITE : "");
}

void executor_judge_death(const struct executor *executor, const struct trace *trace,
                          enum watch_result result, const struct watch *watch,
                          struct verdict *ret_verdict)
{
    char end[128], line[TRACE_LINE_MAX];
    uint32_t op = executor->report->progress.op;
    bool is_in_call = executor->report->progress.is_in_call != 0;
    memset(ret_verdict, 0, sizeof *ret_verdict);
    ret_verdict->check = result == WATCH_DIED ? CHECK_CRASH : CHECK_PROGRESS;
    ret_verdict->op = op < trace->count ? op : VERDICT_NO_OP;
    describe_end(result, watch, end, sizeof end);
    if (op < trace->count) {
        name_site(executor, trace_op_name(trace->ops[op].kind), ret_verdict->site);
        trace_format_op(&trace->ops[op], line);
        snprintf(ret_verdict->sentence, sizeof ret_verdict->sentence,
                 is_in_call ? "`%s` %s" : "touching the blocks around `%s` it %s", line, end);
        return;
    }
    if (op != VERDICT_NO_OP) {
        snprintf(ret_verdict->site, VERDICT_SITE_MAX, "unknown");
        snprintf(ret_verdict->sentence, sizeof ret_verdict->sentence,
                 "its record of progress was overwritten (op %u of %zu) before it %s", op,
                 trace->count, end);
        return;
    }
    name_site(executor, "free", ret_verdict->site);
    snprintf(ret_verdict->sentence, sizeof ret_verdict->sentence,
             "freeing what the trace left live, it %s", end);
}

void executor_drain_output(struct executor *executor, char *ret_line, size_t capacity)
{
    char chunk[OUTPUT_CHUNK];
    size_t used = 0;
    bool is_first_line = true;
    ssize_t got;
    for (int chunks = 0;
         chunks < OUTPUT_CHUNKS && (got = read(executor->output, chunk, sizeof chunk)) > 0;
         chunks++) {
        for (ssize_t i = 0; i < got && is_first_line; i++) {
            is_first_line = chunk[i] != '\n' || used == 0;
            if (is_first_line && used + 1 < capacity && chunk[i] != '\n')
                ret_line[used++] = (char)(chunk[i] >= ' ' && chunk[i] <= '~' ? chunk[i] : '?');
        }
    }
    if (capacity > 0)
        ret_line[used] = 0;
}
