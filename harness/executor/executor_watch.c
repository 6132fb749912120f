/* SPDX-License-Identifier: MIT */
/*
 * Waiting for a worker. A hang is CPU time without a new op; the first one at a site must use ten
 * times the limit, because slow calls return by then, and large blocks are worth more. A deadlock
 * is that every thread waits for another of its process, or no CPU time for long while a control
 * process of the same priority got its share: a loaded machine invents none of them. Whatever the
 * report memory says is taken as a hint: it selects an op, never more.
 */
#include "harness/base/clock.h"
#include "harness/base/proc.h"
#include "harness/executor/executor_internal.h"
#include "harness/process/control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { POLL_MS = 50 };

/* Where the worker stands: changes with every op, round and trace. */
static uint64_t read_position(const struct executor *executor)
{
    enum { ROUND_BITS = 24, OP_BITS = 32 };
    return (uint64_t)executor->report->trace << (ROUND_BITS + OP_BITS) ^
           (uint64_t)executor->report->progress.round << OP_BITS ^ executor->report->progress.op;
}

/* Whether the worker has ended, in *ret_result; not so if the message is noise of a subject, which
 * has inherited this socket. */
static bool take_end(struct executor *executor, struct watch *watch, enum watch_result *ret_result)
{
    if (executor->worker == executor->zygote.pid) {
        *ret_result = WATCH_DIED;
        if (!process_has_ended(&executor->zygote))
            return false;
        executor->worker = 0;
        watch->status = executor->zygote.status;
        return true;
    }
    struct worker_event event;
    ssize_t got = recv(executor->control, &event, sizeof event, MSG_DONTWAIT);
    bool is_gone = got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
    bool is_event = got == (ssize_t)sizeof event && event.magic == PROTOCOL_MAGIC;
    *ret_result = is_gone ? WATCH_BROKEN : WATCH_DIED;
    if (is_gone || !is_event || event.has_ended == 0)
        return is_gone;
    executor->worker = 0;
    watch->status = event.status;
    return true;
}

static bool take_reply(struct executor *executor, struct watch *watch)
{
    ssize_t got = recv(executor->work, &watch->reply, sizeof watch->reply, MSG_DONTWAIT);
    return got == (ssize_t)sizeof watch->reply && watch->reply.magic == PROTOCOL_MAGIC &&
           watch->reply.sequence == executor->sequence;
}

/* Where the worker was, and since when; quiet: since when it has used no processor time. */
struct step {
    uint64_t position, cpu_ms, wall_ms, looked_ms;
    uint64_t quiet_cpu_ms, quiet_ms, quiet_turns;
    uint64_t locked_ms; /* since when all its threads wait for each other; 0: they do not */
};

static bool is_locked(const struct executor *executor, struct step *step, uint64_t wall)
{
    if (wall - step->wall_ms < PROC_LOCKED_MS)
        return false;
    if (!proc_is_locked(executor->worker))
        step->locked_ms = 0;
    else if (step->locked_ms == 0)
        step->locked_ms = wall;
    return step->locked_ms != 0 && wall - step->locked_ms >= PROC_LOCKED_MS;
}

/* The control process is not asked, and so not started, before a step takes long. */
static bool is_stuck(const struct executor *executor, struct step *step, uint64_t cpu,
                     uint64_t wall)
{
    uint64_t limit = executor->options.wall_limit_ms / 2;
    if (wall - step->wall_ms < limit / 4)
        return false;
    uint64_t turns = control_turns();
    if (cpu != step->quiet_cpu_ms || step->quiet_ms == 0) {
        step->quiet_cpu_ms = cpu;
        step->quiet_ms = wall;
        step->quiet_turns = turns;
    }
    return wall - step->wall_ms > limit && wall - step->quiet_ms >= limit / 2 &&
           turns - step->quiet_turns >= limit / 2 / CONTROL_SHARE_MS;
}

/* The C function of the op: "realloc" of "realloc NULL". Where malloc_usable_size dies of a block,
 * it is still the function that returned it: which of the two dies of a bad block is chance. */
static void name_site(const struct executor *executor, const struct trace_op *op,
                      char ret_site[VERDICT_SITE_MAX])
{
    bool is_fault = executor->report->progress.os_failures.last != 0;
    const char *name = run_op_name(executor->info.subject.offers, op->kind);
    snprintf(ret_site, VERDICT_SITE_MAX, "%.*s%s", (int)strcspn(name, " "), name,
             is_fault ? RUN_FAULT_SITE : "");
}

size_t executor_find_job(const struct executor *executor)
{
    size_t job = executor->report->trace;
    return job < executor->job_count ? job : executor->job_count - 1;
}

void executor_find_site(const struct executor *executor, char ret_site[VERDICT_SITE_MAX])
{
    uint32_t op = executor->report->progress.op;
    ret_site[0] = '\0';
    if (executor->job_count == 0)
        return;
    const struct trace *trace = executor->jobs[executor_find_job(executor)].trace;
    if (op < trace->count)
        name_site(executor, &trace->ops[op], ret_site);
}

/* What it may spend on the bytes of a block. */
static uint32_t find_touch_ms(const struct executor *executor)
{
    uint32_t op = executor->report->progress.op;
    if (executor->job_count == 0 || executor->options.is_search)
        return 0;
    const struct trace *trace = executor->jobs[executor_find_job(executor)].trace;
    return trace_touch_ms(trace, op < trace->count ? op + (size_t)1 : trace->count);
}

static uint32_t find_cpu_limit(const struct executor *executor)
{
    char site[VERDICT_SITE_MAX];
    uint32_t limit = executor->options.cpu_limit_ms, touch = find_touch_ms(executor);
    executor_find_site(executor, site);
    for (unsigned i = 0; i < executor->hang_count; i++)
        if (strcmp(executor->hangs[i], site) == 0)
            return limit + touch;
    return limit * EXECUTOR_PATIENCE + touch;
}

/* Whether the step that it is at has taken too long, in *ret_result. */
static bool is_over(const struct executor *executor, struct step *step, struct watch *watch,
                    enum watch_result *ret_result)
{
    uint64_t cpu = clock_cpu_ms_of(executor->worker), wall = clock_now_ms();
    step->looked_ms = wall;
    if (read_position(executor) != step->position)
        *step = (struct step){
            .position = read_position(executor), .cpu_ms = cpu, .wall_ms = wall, .looked_ms = wall};
    watch->cpu_ms = cpu > step->cpu_ms ? (uint32_t)(cpu - step->cpu_ms) : 0;
    watch->wall_ms = (uint32_t)(wall - step->wall_ms);
    if (executor->options.is_cancelled != NULL && executor->options.is_cancelled())
        *ret_result = WATCH_CANCELLED;
    else if (watch->cpu_ms > find_cpu_limit(executor))
        *ret_result = WATCH_HUNG;
    else if (is_locked(executor, step, wall) || is_stuck(executor, step, cpu, wall))
        *ret_result = WATCH_STUCK;
    else
        return false;
    return true;
}

/* Messages do not put the limits off: a subject may write to the sockets for ever. */
enum watch_result executor_watch(struct executor *executor, struct watch *ret_watch)
{
    enum watch_result result;
    struct step step = {.position = UINT64_MAX};
    memset(ret_watch, 0, sizeof *ret_watch);
    for (;;) {
        bool is_alone = executor->worker == executor->zygote.pid;
        struct pollfd ready[2] = {{.fd = executor->work, .events = POLLIN},
                                  {.fd = is_alone ? -1 : executor->control, .events = POLLIN}};
        int count = poll(ready, 2, POLL_MS);
        if (count < 0 && errno != EINTR)
            return WATCH_BROKEN;
        if (count > 0 && (ready[0].revents & POLLIN) && take_reply(executor, ret_watch))
            return WATCH_REPLIED;
        if ((is_alone || (count > 0 && ready[1].revents != 0)) &&
            take_end(executor, ret_watch, &result))
            return result;
        if (count > 0 && clock_now_ms() - step.looked_ms < POLL_MS)
            continue;
        if (is_over(executor, &step, ret_watch, &result)) {
            executor_end_worker(executor);
            return result;
        }
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

static void describe_place(uint32_t where, const char *line, const char *end,
                           char ret_sentence[VERDICT_SENTENCE_MAX])
{
    if (where == RUN_CALLS)
        snprintf(ret_sentence, VERDICT_SENTENCE_MAX, "`%s` %s", line, end);
    else if (where == RUN_ASKS)
        snprintf(ret_sentence, VERDICT_SENTENCE_MAX, "malloc_usable_size, after `%s`, %s", line,
                 end);
    else if (where == RUN_TOUCHES_GRANTED)
        snprintf(ret_sentence, VERDICT_SENTENCE_MAX,
                 "the process %s in the bytes that malloc_usable_size grants beyond those of `%s`",
                 end, line);
    else
        snprintf(ret_sentence, VERDICT_SENTENCE_MAX,
                 "the process %s while the blocks around `%s` were touched", end, line);
}

void executor_judge_death(const struct executor *executor, enum watch_result result,
                          const struct watch *watch, struct verdict *ret_verdict)
{
    char end[128], line[TRACE_LINE_MAX];
    uint32_t op = executor->report->progress.op;
    const struct trace *trace = executor->jobs[executor_find_job(executor)].trace;
    memset(ret_verdict, 0, sizeof *ret_verdict);
    ret_verdict->check = result == WATCH_DIED ? CHECK_CRASH : CHECK_PROGRESS;
    ret_verdict->op = op < trace->count ? op : VERDICT_NO_OP;
    ret_verdict->cycle = executor->report->progress.round;
    describe_end(result, watch, end, sizeof end);
    if (op < trace->count) {
        name_site(executor, &trace->ops[op], ret_verdict->site);
        trace_format_op(&trace->ops[op], line);
        describe_place(executor->report->progress.where, line, end, ret_verdict->sentence);
        return;
    }
    if (op != VERDICT_NO_OP) {
        ret_verdict->cycle = 0; /* as little to be trusted */
        snprintf(ret_verdict->site, VERDICT_SITE_MAX, "unknown");
        snprintf(ret_verdict->sentence, sizeof ret_verdict->sentence,
                 "its record of progress was overwritten (op %u of %zu) before it %s", op,
                 trace->count, end);
        return;
    }
    name_site(executor, &(struct trace_op){.kind = OP_FREE}, ret_verdict->site);
    snprintf(ret_verdict->sentence, sizeof ret_verdict->sentence,
             "freeing what the trace left live, it %s", end);
}
