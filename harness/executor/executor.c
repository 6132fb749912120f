/* SPDX-License-Identifier: MIT */
/* Starting a subject, asking it what it is, running one trace at a time. */
#include "harness/base/clock.h"
#include "harness/base/proc.h"
#include "harness/executor/executor_internal.h"
#include "harness/run/probe.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CPU_LIMIT_MS = 500, WALL_LIMIT_MS = 20000 };

const struct executor_info *executor_info(const struct executor *executor)
{
    return &executor->info;
}

static int send_order(struct executor *executor, enum order_kind kind)
{
    struct work_order order = {PROTOCOL_MAGIC, kind, ++executor->sequence};
    return send(executor->work, &order, sizeof order, MSG_NOSIGNAL) == (ssize_t)sizeof order
               ? 0
               : EPIPE;
}

static int report_cancelled(char error[SUBJECT_ERROR_MAX])
{
    snprintf(error, SUBJECT_ERROR_MAX, "stopped");
    return ECANCELED;
}

static int report_broken(struct executor *executor, char error[SUBJECT_ERROR_MAX])
{
    snprintf(error, SUBJECT_ERROR_MAX, "the process that holds %s is gone",
             executor->info.subject.spec);
    executor->worker = 0;
    return EPIPE;
}

int executor_receive(int socket, void *message, size_t size, unsigned limit_ms)
{
    uint64_t end = clock_now_ms() + limit_ms;
    struct pollfd ready = {.fd = socket, .events = POLLIN};
    for (uint64_t now = end - limit_ms; now <= end; now = clock_now_ms()) {
        int count = poll(&ready, 1, (int)(end - now));
        ssize_t got = count > 0 ? recv(socket, message, size, MSG_DONTWAIT) : -1;
        if (got == (ssize_t)size)
            return 0;
        if (count != 0 && (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)))
            return EPIPE;
    }
    return ETIMEDOUT;
}

/* Waits for the zygote to tell of its worker's end. */
static int await_end(struct executor *executor)
{
    struct worker_event event;
    int result;
    do
        result = executor_receive(executor->control, &event, sizeof event,
                                  executor->options.wall_limit_ms);
    while (result == 0 && (event.magic != PROTOCOL_MAGIC || event.has_ended == 0));
    return result;
}

/* Whether the zygote and its worker are both back from fork, or no worker could be forked. false:
 * a handler of the subject hangs or ends one of them. */
static bool await_fork(struct executor *executor, struct worker_event *ret_event)
{
    enum { BOTH = 2, LOOK_MS = 50 };
    unsigned returned = 0;
    uint64_t start = clock_now_ms(), now = start, unlocked = start;
    *ret_event = (struct worker_event){0};
    while (now - start < executor->options.wall_limit_ms && now - unlocked < PROC_LOCKED_MS) {
        struct worker_event event;
        int result = executor_receive(executor->control, &event, sizeof event, LOOK_MS);
        bool is_event = result == 0 && event.magic == PROTOCOL_MAGIC;
        if (is_event)
            *ret_event = event;
        if (result == EPIPE || ret_event->has_ended)
            return false;
        if (is_event && (event.pid < 0 || ++returned == BOTH))
            return true;
        now = clock_now_ms();
        if (result != ETIMEDOUT || (!proc_is_locked(executor->zygote.pid) &&
                                    (ret_event->pid == 0 || !proc_is_locked(ret_event->pid))))
            unlocked = now;
    }
    return false;
}

/* The zygote of a subject in which fork fails works itself, and there is one for each worker. */
static int start_without_fork(struct executor *executor, char error[SUBJECT_ERROR_MAX])
{
    uint64_t evaluated[CHECK_COUNT] = {0};
    for (unsigned i = 0; i < CHECK_COUNT && executor->report != NULL; i++)
        evaluated[i] = executor->report->evaluated[i];
    executor_kill_zygote(executor);
    int result = executor_spawn(executor, error);
    if (result != 0)
        return result;
    struct report_memory *report = (struct report_memory *)(uintptr_t)executor->report;
    for (unsigned i = 0; i < CHECK_COUNT; i++)
        report->evaluated[i] = evaluated[i];
    if (send(executor->control, (char[]){ZYGOTE_WORK}, 1, MSG_NOSIGNAL) != 1)
        return report_broken(executor, error);
    executor->worker = executor->zygote.pid;
    return 0;
}

static int fork_worker(struct executor *executor, char error[SUBJECT_ERROR_MAX])
{
    struct work_reply stale;
    while (recv(executor->work, &stale, sizeof stale, MSG_DONTWAIT) > 0)
        ;
    struct worker_event event;
    if (send(executor->control, (char[]){ZYGOTE_FORK}, 1, MSG_NOSIGNAL) != 1)
        return report_broken(executor, error);
    executor->info.has_broken_fork = !await_fork(executor, &event);
    executor->worker = event.pid > 0 ? event.pid : 0;
    if (executor->info.has_broken_fork)
        return start_without_fork(executor, error);
    if (event.pid < 0) {
        snprintf(error, SUBJECT_ERROR_MAX, "no process could be started to run %s in",
                 executor->info.subject.spec);
        return EAGAIN;
    }
    return 0;
}

int executor_start_worker(struct executor *executor, char error[SUBJECT_ERROR_MAX])
{
    if (executor->worker != 0)
        return 0;
    executor->runs_in_worker = 0;
    return executor->info.has_broken_fork ? start_without_fork(executor, error)
                                          : fork_worker(executor, error);
}

void executor_end_worker(struct executor *executor)
{
    if (executor->worker == 0)
        return;
    kill(-executor->worker, SIGKILL);
    executor->worker = 0;
    if (executor->info.has_broken_fork)
        process_kill(&executor->zygote); /* what it printed and reported stays to be read */
    else if (await_end(executor) == ETIMEDOUT)
        executor_kill_zygote(executor);
}

/* Has a question answered in a worker of its own. Returns as executor_run; the outcome is of one
 * that came to an end. */
static int ask(struct executor *executor, enum order_kind kind, struct watch *ret_watch,
               enum watch_result *ret_outcome, char error[SUBJECT_ERROR_MAX])
{
    int result = executor_start_worker(executor, error);
    if (result != 0)
        return result;
    if (send_order(executor, kind) != 0)
        return report_broken(executor, error);
    *ret_outcome = executor_watch(executor, ret_watch);
    executor_end_worker(executor);
    if (*ret_outcome == WATCH_BROKEN)
        return report_broken(executor, error);
    return *ret_outcome == WATCH_CANCELLED ? report_cancelled(error) : 0;
}

/* A worker of its own counts blocks: the one before has taken all that there was. */
static int take_capacity(struct executor *executor, uint64_t capacity,
                         char error[SUBJECT_ERROR_MAX])
{
    struct watch watch;
    enum watch_result outcome;
    executor->info.capacity = capacity;
    if (capacity == PROBE_SERVES_NOTHING) {
        snprintf(error, SUBJECT_ERROR_MAX,
                 "%.64s serves nothing: malloc(16) returns NULL in a new process (--init FUNCTION "
                 "names what sets it up)",
                 executor->info.subject.name);
        return ENODATA;
    }
    if (ask(executor, ORDER_PROBE_BLOCKS, &watch, &outcome, error) == 0 && outcome == WATCH_REPLIED)
        executor->info.blocks = watch.reply.blocks;
    return 0;
}

/* What the subject shows of itself. One that dies on being asked for its choices may hold little
 * all the same; one that hangs is left for the traces to judge. */
static int probe_subject(struct executor *executor, char error[SUBJECT_ERROR_MAX])
{
    struct watch watch;
    enum watch_result outcome;
    int result = ask(executor, ORDER_PROBE, &watch, &outcome, error);
    bool has_died = result == 0 && outcome == WATCH_DIED;
    if (has_died)
        result = ask(executor, ORDER_PROBE_CAPACITY, &watch, &outcome, error);
    if (result != 0 || outcome != WATCH_REPLIED)
        return result;
    for (int i = 0; !has_died && i < POLICY_COUNT; i++)
        if (watch.reply.policy.choice[i] <= POLICY_BLOCK)
            executor->info.policy.choice[i] = watch.reply.policy.choice[i];
    enum subject_binding binding = executor->info.subject.binding;
    bool is_foreign = binding == BIND_DLOPEN || binding == BIND_DLMOPEN;
    watch.reply.misbound[sizeof watch.reply.misbound - 1] = 0;
    if (!is_foreign || watch.reply.misbound[0] == 0)
        return take_capacity(executor, watch.reply.capacity, error);
    snprintf(error, SUBJECT_ERROR_MAX, "%s", watch.reply.misbound);
    return EXDEV;
}

static int start_bound(struct executor *executor, char error[SUBJECT_ERROR_MAX])
{
    int result = executor_spawn(executor, error);
    if (result == 0)
        result = probe_subject(executor, error);
    if (executor->options.has_capacity)
        executor->info.capacity = executor->options.capacity;
    return result;
}

/* A loader artefact, and no bug of the subject, if its calls reach another heap: preloaded they
 * cannot. */
static int start_any(struct executor *executor, char error[SUBJECT_ERROR_MAX])
{
    struct subject_plan plan = executor->info.subject;
    int result = start_bound(executor, error);
    if (result != EXDEV || executor->options.binding != BIND_AUTO)
        return result;
    executor_kill_zygote(executor);
    subject_plan_whole_process(&plan, &executor->info.subject);
    return start_bound(executor, error);
}

static int make_executor(struct executor **ret_executor, const char *typed,
                         char error[SUBJECT_ERROR_MAX])
{
    struct executor *executor = calloc(1, sizeof *executor);
    if (executor == NULL) {
        snprintf(error, SUBJECT_ERROR_MAX, "could not bind %.64s: %s", typed, strerror(ENOMEM));
        return ENOMEM;
    }
    executor->control = executor->work = -1;
    *ret_executor = executor;
    return 0;
}

int executor_start(struct executor **ret_executor, const char *typed,
                   const struct executor_options *options, char error[SUBJECT_ERROR_MAX])
{
    struct executor *executor;
    int result = make_executor(&executor, typed, error);
    if (result != 0)
        return result;
    if (options != NULL)
        executor->options = *options;
    if (executor->options.cpu_limit_ms == 0)
        executor->options.cpu_limit_ms = CPU_LIMIT_MS;
    if (executor->options.wall_limit_ms == 0)
        executor->options.wall_limit_ms = WALL_LIMIT_MS;
    result = subject_resolve(&executor->info.subject, typed, executor->options.binding,
                             executor->options.scope, error);
    if (result == 0 && executor->info.subject.program[0] != '\0') {
        snprintf(error, SUBJECT_ERROR_MAX,
                 "subject `%.64s`: it can run the probes of `mallet conform` only", typed);
        result = EINVAL;
    }
    if (result == 0)
        result = start_any(executor, error);
    if (result != 0) {
        executor_stop(executor);
        return result;
    }
    *ret_executor = executor;
    return 0;
}

int executor_start_beside(struct executor **ret_executor, const struct executor *other,
                          char error[SUBJECT_ERROR_MAX])
{
    struct executor *executor;
    int result = make_executor(&executor, other->info.subject.spec, error);
    if (result != 0)
        return result;
    executor->options = other->options;
    executor->info = other->info;
    result = executor_spawn(executor, error);
    if (result != 0) {
        executor_stop(executor);
        return result;
    }
    *ret_executor = executor;
    return 0;
}

int executor_find_subject(struct subject_plan *ret_plan, const char *typed,
                          enum subject_binding wanted, enum subject_scope scope,
                          char error[SUBJECT_ERROR_MAX])
{
    const struct executor_options options = {.binding = wanted, .scope = scope};
    struct subject_plan plan, whole;
    struct executor *executor;
    int result = executor_start(&executor, typed, &options, error);
    if (result != 0)
        return result;
    plan = executor_info(executor)->subject;
    plan.capacity = executor_info(executor)->capacity;
    plan.blocks = executor_info(executor)->blocks;
    executor_stop(executor);
    if (plan.binding == BIND_PRELOAD && wanted == BIND_AUTO &&
        !subject_plan_serves_process(plan.offers))
        return executor_find_subject(ret_plan, typed, BIND_DLOPEN, SUBJECT_IN_PROCESS, error);
    bool is_whole =
        scope == SUBJECT_WHOLE_PROCESS && (wanted == BIND_AUTO || wanted == BIND_PRELOAD) &&
        subject_plan_serves_process(plan.offers) && subject_plan_whole_process(&plan, &whole);
    *ret_plan = is_whole ? whole : plan;
    return 0;
}

void executor_stop(struct executor *executor)
{
    executor_end_worker(executor);
    executor_kill_zygote(executor);
    free(executor);
}

struct run_options executor_thorough(const struct executor *executor, size_t ops)
{
    enum { SHORT = 512, SPARSE = 64, ROUNDS = 4000 };
    uint32_t every = ops <= SHORT ? 1 : SPARSE;
    return (struct run_options){.heap_check_every = every,
                                .sweep_every = every,
                                .fill_max = (uint64_t)16 << 20,
                                .touch_max = (uint64_t)64 << 20,
                                .capacity = executor->info.capacity,
                                .blocks = executor->info.blocks,
                                .recovery = 1,
                                .rounds = ops <= SHORT ? ROUNDS : 0};
}

uint64_t executor_evaluated(const struct executor *executor, enum check check)
{
    return executor->report->evaluated[check];
}

/* Traces that have no room are left out. */
static void load_request(struct executor *executor, const struct executor_job jobs[], size_t count)
{
    struct request_memory *request = executor->request;
    struct report_memory *report = (struct report_memory *)(uintptr_t)executor->report;
    size_t used = 0, loaded = 0;
    for (; loaded < count && used + jobs[loaded].trace->count <= TRACE_OPS_MAX; loaded++) {
        const struct trace *trace = jobs[loaded].trace;
        request->batch[loaded] = (struct request_trace){*jobs[loaded].options, used, trace->count};
        memcpy(request->ops + used, trace->ops, trace->count * sizeof trace->ops[0]);
        used += trace->count;
    }
    request->policy = executor->info.policy;
    request->traces = loaded;
    memset(report->features, 0, loaded * sizeof report->features[0]);
    memset(report->outcomes, 0, used * sizeof report->outcomes[0]);
    report->progress = (struct run_progress){0};
    report->trace = 0;
    executor->jobs = jobs;
    executor->job_count = loaded;
}

static void take_verdict(const struct work_reply *reply, struct execution *execution)
{
    execution->is_clean = reply->is_clean != 0;
    execution->verdict = reply->verdict;
    execution->muted_failures = reply->muted_failures;
    execution->has_open_growth = reply->has_open_growth != 0;
    execution->is_watched = reply->is_watched != 0;
    execution->os_calls = reply->os_calls;
    execution->verdict.site[VERDICT_SITE_MAX - 1] = 0;
    execution->verdict.sentence[VERDICT_SENTENCE_MAX - 1] = 0;
    if (!execution->is_clean && execution->verdict.check >= CHECK_COUNT)
        execution->verdict.check = CHECK_CRASH;
}

static void remember_hang(struct executor *executor)
{
    if (executor->hang_count < EXECUTOR_HANGS_MAX)
        executor_find_site(executor, executor->hangs[executor->hang_count++]);
}

static void take_failures(const struct executor *executor, struct execution *execution)
{
    for (unsigned i = 0; i < OS_CALL_COUNT; i++) {
        execution->os_calls.failed_calls[i] = executor->report->progress.os_failures.calls[i];
        execution->os_calls.failed += execution->os_calls.failed_calls[i];
    }
}

static int refuse_length(size_t ops, char error[SUBJECT_ERROR_MAX])
{
    snprintf(error, SUBJECT_ERROR_MAX, "a trace of %zu ops is too long: %d is the limit", ops,
             TRACE_OPS_MAX);
    return EINVAL;
}

/* All that ran, as far as it is known without the reply. */
static void begin_executions(struct executor *executor, size_t count,
                             struct execution ret_executions[])
{
    for (size_t i = 0; i < count; i++)
        ret_executions[i] = (struct execution){.is_clean = true,
                                               .runs_in_worker = ++executor->runs_in_worker,
                                               .outcomes = executor->report->outcomes +
                                                           executor->request->batch[i].first,
                                               .features = executor->report->features[i]};
}

/* Traces that ran, from a reply or from a record of progress: neither is trusted. */
static size_t count_done(const struct executor *executor, enum watch_result outcome,
                         const struct watch *watch)
{
    size_t done = watch->reply.done;
    if (outcome != WATCH_REPLIED)
        return executor_find_job(executor) + 1;
    return done >= 1 && done <= executor->job_count ? done : executor->job_count;
}

/* What a batch came to that ran to its end or to its worker's. Returns 0 or a positive errno. */
static int take_outcome(struct executor *executor, enum watch_result outcome,
                        const struct watch *watch, struct execution ret_executions[],
                        size_t *ret_done, char error[SUBJECT_ERROR_MAX])
{
    if (outcome == WATCH_BROKEN)
        return report_broken(executor, error);
    if (outcome == WATCH_CANCELLED)
        return report_cancelled(error);
    if (outcome == WATCH_DIED && WIFSIGNALED(watch->status) && WTERMSIG(watch->status) == SIGSYS) {
        snprintf(
            error, SUBJECT_ERROR_MAX,
            "%s makes system calls in a handler that blocks SIGSYS: its OS calls cannot be watched",
            executor->info.subject.spec);
        return ENOTSUP;
    }
    *ret_done = count_done(executor, outcome, watch);
    begin_executions(executor, *ret_done, ret_executions);
    struct execution *last = &ret_executions[*ret_done - 1];
    if (outcome == WATCH_REPLIED) {
        take_verdict(&watch->reply, last);
        return 0;
    }
    if (outcome == WATCH_HUNG)
        remember_hang(executor);
    last->is_clean = false;
    executor_judge_death(executor, outcome, watch, &last->verdict);
    take_failures(executor, last);
    return 0;
}

int executor_run_batch(struct executor *executor, const struct executor_job jobs[], size_t count,
                       bool fresh, struct execution ret_executions[], size_t *ret_done,
                       char error[SUBJECT_ERROR_MAX])
{
    struct watch watch;
    if (executor->options.is_cancelled != NULL && executor->options.is_cancelled())
        return report_cancelled(error);
    if (jobs[0].trace->count > TRACE_OPS_MAX)
        return refuse_length(jobs[0].trace->count, error);
    if (fresh)
        executor_end_worker(executor);
    int result = executor_start_worker(executor, error);
    if (result != 0)
        return result;
    load_request(executor, jobs, count);
    enum watch_result outcome =
        send_order(executor, ORDER_RUN) == 0 ? executor_watch(executor, &watch) : WATCH_BROKEN;
    result = take_outcome(executor, outcome, &watch, ret_executions, ret_done, error);
    executor->job_count = 0;
    if (result != 0)
        return result;
    if (fresh || outcome != WATCH_REPLIED || watch.reply.is_spent)
        executor_end_worker(executor);
    struct execution *last = &ret_executions[*ret_done - 1];
    if (!last->is_clean)
        process_take_line(&executor->zygote, last->output, sizeof last->output);
    return 0;
}

int executor_run(struct executor *executor, const struct trace *trace,
                 const struct run_options *options, bool fresh, struct execution *ret_execution,
                 char error[SUBJECT_ERROR_MAX])
{
    const struct executor_job job = {trace, options};
    size_t done;
    return executor_run_batch(executor, &job, 1, fresh, ret_execution, &done, error);
}
