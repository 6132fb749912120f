/* SPDX-License-Identifier: MIT */
/* The zygote: a program of its own, with a clean set of descriptors, executed so that nothing of
 * the caller's heap is in it. */
#include "harness/executor/executor_internal.h"
#include "harness/executor/zygote.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HELLO_LIMIT_MS = 10000 };

static int make_pair(int *ret_ours, int *ret_childs)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return errno;
    *ret_ours = pair[0];
    *ret_childs = pair[1];
    return 0;
}

static void close_if_open(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

static int spawn_child(struct executor *executor, int control, int work)
{
    const struct subject_plan *subject = &executor->info.subject;
    char path[PATH_MAX];
    if (!subject_plan_program(subject, path))
        return ENOENT;
    const char *const arguments[] = {path, ZYGOTE_WORD, subject_binding_name(subject->binding),
                                     subject->what, NULL};
    const char *const variables[] = {subject->environment, NULL};
    const struct process_descriptor descriptors[] = {{CHILD_CONTROL, control}, {CHILD_WORK, work}};
    const struct process_plan child = {
        .program = path,
        .arguments = arguments,
        .preload = subject_plan_preload(subject),
        .variables = variables,
        .descriptors = descriptors,
        .descriptor_count = sizeof descriptors / sizeof descriptors[0],
        .memory = {{CHILD_REQUEST, sizeof(struct request_memory)},
                   {CHILD_REPORT, sizeof(struct report_memory)}},
        .output = PROCESS_OUTPUT_LINE,
    };
    int result = process_spawn(&child, &executor->zygote);
    if (result != 0)
        return result;
    executor->request = executor->zygote.memory[0];
    executor->report = executor->zygote.memory[1];
    return 0;
}

/* It has closed its socket, and ends as soon as it wants to use it. */
static void describe_lost_zygote(struct executor *executor, char error[SUBJECT_ERROR_MAX])
{
    char line[128];
    process_stop(&executor->zygote, 0, HELLO_LIMIT_MS);
    int status = executor->zygote.status;
    process_take_line(&executor->zygote, line, sizeof line);
    const char *quote = line[0] != 0 ? ": " : "";
    if (WIFSIGNALED(status))
        snprintf(error, SUBJECT_ERROR_MAX,
                 "could not bind %s: it died of signal %d (%s) while it was loaded%s%s",
                 executor->info.subject.spec, WTERMSIG(status), strsignal(WTERMSIG(status)), quote,
                 line);
    else if (WEXITSTATUS(status) == CHILD_EXIT_LOST)
        snprintf(error, SUBJECT_ERROR_MAX,
                 "could not bind %s: it closed descriptor %d, its connection to the harness, while "
                 "it was loaded%s%s",
                 executor->info.subject.spec, CHILD_CONTROL, quote, line);
    else
        snprintf(error, SUBJECT_ERROR_MAX,
                 "could not bind %s: it called exit(%d) while it was loaded%s%s",
                 executor->info.subject.spec, WEXITSTATUS(status), quote, line);
}

/* Waits for the hello; a constructor may crash, exit or hang before it comes. */
static int take_hello(struct executor *executor, char error[SUBJECT_ERROR_MAX])
{
    struct child_hello hello;
    unsigned limit_ms = executor->options.wall_limit_ms < HELLO_LIMIT_MS
                            ? executor->options.wall_limit_ms
                            : HELLO_LIMIT_MS;
    int result = executor_receive(executor->control, &hello, sizeof hello, limit_ms);
    if (result == ETIMEDOUT) {
        snprintf(error, SUBJECT_ERROR_MAX, "could not bind %s: it was still not loaded after %u ms",
                 executor->info.subject.spec, limit_ms);
        return ETIMEDOUT;
    }
    if (result != 0 || hello.magic != PROTOCOL_MAGIC) {
        describe_lost_zygote(executor, error);
        return ENOEXEC;
    }
    if (hello.error != 0) {
        hello.sentence[sizeof hello.sentence - 1] = 0;
        snprintf(error, SUBJECT_ERROR_MAX, "%s", hello.sentence);
        return hello.error > 0 ? hello.error : EPROTO;
    }
    executor->info.subject.offers = hello.offers;
    executor->info.has_reset = hello.has_reset;
    executor->info.has_check = hello.has_check;
    executor->info.has_footprint = hello.has_footprint;
    executor->info.has_fail_os = hello.has_fail_os;
    return 0;
}

int executor_spawn(struct executor *executor, char error[SUBJECT_ERROR_MAX])
{
    int control = -1, work = -1;
    int result = make_pair(&executor->control, &control);
    if (result == 0)
        result = make_pair(&executor->work, &work);
    if (result == 0)
        result = spawn_child(executor, control, work);
    close_if_open(&control);
    close_if_open(&work);
    if (result == 0)
        return take_hello(executor, error);
    executor_kill_zygote(executor);
    snprintf(error, SUBJECT_ERROR_MAX,
             "could not bind %s: the process for it cannot be started: %s",
             executor->info.subject.spec, strerror(result));
    return result;
}

void executor_kill_zygote(struct executor *executor)
{
    if (executor->worker > 0)
        kill(-executor->worker, SIGKILL);
    process_release(&executor->zygote);
    executor->request = NULL;
    executor->report = NULL;
    executor->worker = 0;
    close_if_open(&executor->control);
    close_if_open(&executor->work);
}
