/* SPDX-License-Identifier: MIT */
/* Small, no stdio, no allocation of its own: when the subject is the host's malloc, all of the heap
 * is the subject's. */
#include "harness/executor/zygote.h"

#include "harness/executor/protocol.h"
#include "harness/run/probe.h"
#include "harness/subject/child_bind.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
    struct subject subject;
    struct run *run;
    const struct request_memory *request;
    struct report_memory *report;
};

static void *map_shared(int descriptor, size_t size, int protection)
{
    void *memory = mmap(NULL, size, protection, MAP_SHARED, descriptor, 0);
    if (memory == MAP_FAILED)
        _exit(CHILD_EXIT_LOST);
    close(descriptor);
    return memory;
}

static bool receive(int descriptor, void *message, size_t size)
{
    ssize_t got;
    do
        got = recv(descriptor, message, size, 0);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)size;
}

static void send_or_exit(int descriptor, const void *message, size_t size)
{
    if (send(descriptor, message, size, MSG_NOSIGNAL) != (ssize_t)size)
        _exit(CHILD_EXIT_LOST);
}

static void probe(struct child *child, struct work_reply *reply)
{
    probe_binding(&child->subject, reply->misbound);
    probe_policy(child->run, &child->subject);
    reply->policy = *run_policy(child->run);
    reply->capacity = probe_capacity(&child->subject);
    reply->is_clean = 1;
    reply->is_spent = 1;
}

static void run_one(struct child *child, uint64_t index, struct work_reply *reply)
{
    struct report_memory *report = child->report;
    const struct request_trace *request = &child->request->batch[index];
    const struct run_report targets = {&report->progress, report->outcomes + request->first,
                                       report->features[index], report->evaluated};
    /* The request memory is read-only here; a trace is never written by a run. */
    const struct trace trace = {(struct trace_op *)(uintptr_t)child->request->ops + request->first,
                                request->count, request->count};
    if (child->subject.coverage != NULL)
        *child->subject.coverage = report->features[index] + RUN_FEATURES;
    if (child->subject.reset != NULL)
        child->subject.reset();
    *run_policy(child->run) = child->request->policy;
    if (request->options.watch_os || (trace_kinds(&trace) >> OP_FAIL_OS & 1) != 0)
        reply->is_watched = os_calls_watch() == 0;
    os_calls_tell(&report->progress.os_failures);
    reply->is_clean = run_trace(child->run, &child->subject, &trace, &request->options, &targets,
                                &reply->verdict);
    reply->muted_failures = run_muted_failures(child->run);
    reply->has_open_growth = run_has_open_growth(child->run);
    reply->os_calls = run_os_calls(child->run);
    reply->is_spent =
        !reply->is_clean || run_was_cut_short(child->run) || run_has_moved_break(child->run);
}

/* The record says which trace is at fault if this process does not live to reply. */
static void run_order(struct child *child, struct work_reply *reply)
{
    for (uint32_t i = 0; i < child->request->traces && !reply->is_spent; i++) {
        child->report->progress = (struct run_progress){0};
        child->report->trace = i;
        reply->is_watched = 0;
        run_one(child, i, reply);
        reply->done = i + 1;
        if (fcntl(CHILD_WORK, F_GETFD) < 0)
            _exit(CHILD_EXIT_LOST); /* now, while the record says who closed it */
    }
}

static _Noreturn void work(struct child *child)
{
    struct work_order order;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (receive(CHILD_WORK, &order, sizeof order) && order.magic == PROTOCOL_MAGIC) {
        struct work_reply reply = {.magic = PROTOCOL_MAGIC, .sequence = order.sequence};
        if (order.kind == ORDER_PROBE)
            probe(child, &reply);
        else if (order.kind == ORDER_PROBE_CAPACITY)
            reply.capacity = probe_capacity(&child->subject);
        else if (order.kind == ORDER_PROBE_BLOCKS)
            reply.blocks = probe_blocks(&child->subject);
        else
            run_order(child, &reply);
        send_or_exit(CHILD_WORK, &reply, sizeof reply);
    }
    _exit(0);
}

/* What it left behind in its group dies with it, while its number still means nobody else. */
static int reap(pid_t worker)
{
    siginfo_t info;
    int status = 0;
    while (waitid(P_PID, (id_t)worker, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR)
        ;
    kill(-worker, SIGKILL);
    while (waitpid(worker, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

/* One worker at a time: forks it, says so, waits for its end, says so. A worker leads a group, as
 * a subject may answer an invalid free with kill(0, SIGABRT); both sides see to it, so that none
 * is ahead of it. */
static void serve_worker(struct child *child)
{
    pid_t pid = fork();
    struct worker_event event = {.magic = PROTOCOL_MAGIC, .pid = pid == 0 ? getpid() : pid};
    if (pid >= 0)
        setpgid(pid, pid);
    send_or_exit(CHILD_CONTROL, &event, sizeof event);
    if (pid == 0)
        work(child);
    if (pid < 0)
        return;
    event.status = reap(pid);
    event.has_ended = 1;
    send_or_exit(CHILD_CONTROL, &event, sizeof event);
}

static struct child_hello make_hello(const struct subject *subject)
{
    return (struct child_hello){.magic = PROTOCOL_MAGIC,
                                .offers = subject_offers(subject),
                                .has_reset = subject->reset != NULL,
                                .has_check = subject->check != NULL,
                                .has_footprint = subject->footprint != NULL,
                                .has_fail_os = subject->fail_os != NULL};
}

void zygote_main(const char *how, const char *what)
{
    static struct child child;
    child.request = map_shared(CHILD_REQUEST, sizeof *child.request, PROT_READ);
    child.report = map_shared(CHILD_REPORT, sizeof *child.report, PROT_READ | PROT_WRITE);
    struct child_hello hello = {.magic = PROTOCOL_MAGIC, .error = ENOMEM};
    if (run_init(&child.run) == 0) {
        int error = child_bind(&child.subject, how, what, hello.sentence);
        if (error == 0)
            hello = make_hello(&child.subject);
        else
            hello.error = error;
    }
    send_or_exit(CHILD_CONTROL, &hello, sizeof hello);
    char request;
    while (hello.error == 0 && receive(CHILD_CONTROL, &request, sizeof request)) {
        if (request == ZYGOTE_WORK)
            work(&child);
        serve_worker(&child);
    }
    _exit(0);
}
