/* SPDX-License-Identifier: MIT */
/* The zygote: a program of its own, with a clean set of descriptors, executed so that nothing of
 * the caller's heap is in it. */
#include "harness/executor/executor_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HELLO_LIMIT_MS = 10000, CHILD_DESCRIPTORS = 7 };
/* Some allocators (jemalloc, Scudo) want more static TLS than glibc keeps free for libraries that
 * are opened late. */
#define TUNABLES "GLIBC_TUNABLES=glibc.rtld.optional_static_tls=65536"

extern char **environ;

/* Everything that both sides hold; the child's ends by their number in the child. */
struct ends {
    int ours_control, ours_work, ours_output;
    int childs[CHILD_DESCRIPTORS];
};

static int make_pair(int *ret_ours, int *ret_childs)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return errno;
    *ret_ours = pair[0];
    *ret_childs = pair[1];
    return 0;
}

static int make_memory(const char *name, size_t size, int *ret_descriptor, void **ret_memory)
{
    int descriptor = memfd_create(name, MFD_CLOEXEC);
    if (descriptor < 0 || ftruncate(descriptor, (off_t)size) != 0)
        return errno;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (memory == MAP_FAILED)
        return errno;
    *ret_descriptor = descriptor;
    *ret_memory = memory;
    return 0;
}

/* Children print into a pipe that refuses what does not fit: one that prints for ever fills no disk
 * and blocks nobody. */
static int make_output(struct ends *ends)
{
    int pair[2];
    if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) != 0)
        return errno;
    ends->ours_output = pair[0];
    ends->childs[1] = pair[1];
    ends->childs[2] = pair[1];
    return 0;
}

static int make_ends(struct executor *executor, struct ends *ends)
{
    void *request, *report;
    int result = make_pair(&ends->ours_control, &ends->childs[CHILD_CONTROL]);
    if (result == 0)
        result = make_pair(&ends->ours_work, &ends->childs[CHILD_WORK]);
    if (result == 0)
        result = make_output(ends);
    if (result == 0)
        result = make_memory("mallet-request", sizeof(struct request_memory),
                             &ends->childs[CHILD_REQUEST], &request);
    if (result == 0)
        result = make_memory("mallet-report", sizeof(struct report_memory),
                             &ends->childs[CHILD_REPORT], &report);
    if (result == 0 && (ends->childs[0] = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0)
        result = errno;
    if (result != 0)
        return result;
    executor->request = request;
    executor->report = report;
    return 0;
}

/* The children's ends are first moved out of the way of the numbers that they are to get. */
static int set_up_descriptors(struct ends *ends, posix_spawn_file_actions_t *actions)
{
    for (int i = 0; i < CHILD_DESCRIPTORS; i++) {
        int high = fcntl(ends->childs[i], F_DUPFD_CLOEXEC, 64);
        if (high < 0)
            return errno;
        if (i != 1)
            close(ends->childs[i]); /* 1 and 2 are one descriptor, closed with 2 */
        ends->childs[i] = high;
        int result = posix_spawn_file_actions_adddup2(actions, high, i);
        if (result != 0)
            return result;
    }
    return 0;
}

/* The caller's environment, less what would change the child's malloc behind our back. */
static char **make_environment(const struct subject_plan *plan, char *preload_entry,
                               size_t capacity)
{
    size_t count = 0;
    while (environ[count] != NULL)
        count++;
    char **copy = calloc(count + 4, sizeof *copy);
    if (copy == NULL)
        return NULL;
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], "LD_PRELOAD=", 11) != 0 &&
            strncmp(environ[i], "GLIBC_TUNABLES=", 15) != 0)
            copy[used++] = environ[i];
    static char tunables[] = TUNABLES;
    copy[used++] = tunables;
    if (subject_plan_preload(plan) != NULL) {
        snprintf(preload_entry, capacity, "LD_PRELOAD=%s", subject_plan_preload(plan));
        copy[used++] = preload_entry;
    }
    if (plan->environment[0] != '\0')
        copy[used++] = (char *)(uintptr_t)plan->environment;
    return copy;
}

static int spawn_child(struct executor *executor, struct ends *ends)
{
    const struct subject_plan *plan = &executor->info.subject;
    char path[PATH_MAX], preload_entry[PATH_MAX + 16];
    if (!subject_plan_program(plan, "mallet-child", path))
        return ENOENT;
    char *const arguments[] = {path, (char *)(uintptr_t)subject_binding_name(plan->binding),
                               (char *)(uintptr_t)plan->what, NULL};
    char **environment = make_environment(plan, preload_entry, sizeof preload_entry);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    int result = environment == NULL ? ENOMEM : set_up_descriptors(ends, &actions);
    if (result == 0)
        result = posix_spawn(&executor->zygote, path, &actions, NULL, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    free(environment);
    return result;
}

static void describe_lost_zygote(struct executor *executor, int status,
                                 char error[SUBJECT_ERROR_MAX])
{
    char line[128];
    executor_drain_output(executor, line, sizeof line);
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
    struct pollfd control = {.fd = executor->control, .events = POLLIN};
    struct child_hello hello;
    int ready;
    int limit_ms = executor->options.wall_limit_ms < HELLO_LIMIT_MS
                       ? (int)executor->options.wall_limit_ms
                       : HELLO_LIMIT_MS;
    do
        ready = poll(&control, 1, limit_ms);
    while (ready < 0 && errno == EINTR);
    if (ready == 0) {
        snprintf(error, SUBJECT_ERROR_MAX, "could not bind %s: it was still not loaded after %d ms",
                 executor->info.subject.spec, limit_ms);
        return ETIMEDOUT;
    }
    if (recv(executor->control, &hello, sizeof hello, 0) != (ssize_t)sizeof hello ||
        hello.magic != PROTOCOL_MAGIC) {
        int status = 0;
        waitpid(executor->zygote, &status, 0);
        executor->zygote = 0;
        describe_lost_zygote(executor, status, error);
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
    struct ends ends = {0};
    int result = make_ends(executor, &ends);
    if (result == 0) {
        executor->control = ends.ours_control;
        executor->work = ends.ours_work;
        executor->output = ends.ours_output;
        result = spawn_child(executor, &ends);
        for (int i = 0; i < CHILD_DESCRIPTORS; i++)
            close(ends.childs[i]);
    }
    if (result != 0) {
        snprintf(error, SUBJECT_ERROR_MAX,
                 "could not bind %s: the process for it cannot be started: %s",
                 executor->info.subject.spec, strerror(result));
        return result;
    }
    return take_hello(executor, error);
}

void executor_kill_zygote(struct executor *executor)
{
    if (executor->zygote > 0) {
        kill(executor->zygote, SIGKILL);
        while (waitpid(executor->zygote, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    executor->zygote = 0;
    close(executor->control);
    close(executor->work);
    close(executor->output);
    munmap(executor->request, sizeof *executor->request);
    munmap((void *)(uintptr_t)executor->report, sizeof *executor->report);
}
