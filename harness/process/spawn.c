/* SPDX-License-Identifier: MIT */
/*
 * From a plan to a running child. Between fork and exec the child makes system calls only. If the
 * program cannot be executed, the reason comes back through a pipe that exec closes.
 */
#include "harness/process/process.h"

#include "harness/base/clock.h"
#include "harness/process/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DESCRIPTORS_MAX = 12, CPU_GRACE_S = 5, SIGNALS = 65 };
/* Some allocators (jemalloc, Scudo) want more static TLS than glibc keeps free for libraries that
 * are opened late. */
#define TEXT(number)   #number
#define TUNABLE(bytes) "GLIBC_TUNABLES=glibc.rtld.optional_static_tls=" TEXT(bytes)
#define TUNABLES       TUNABLE(PROCESS_STATIC_TLS)

extern char **environ;

/* What the child's side of a spawn needs, made ready before the fork. */
struct launch {
    const struct process_plan *plan;
    char **environment;
    char preload[PATH_MAX + 16];
    struct process_descriptor descriptors[DESCRIPTORS_MAX];
    size_t descriptor_count;
    int own[DESCRIPTORS_MAX]; /* of those: opened here, closed after the fork */
    size_t own_count;
    int failure[2]; /* a pipe for the errno of exec */
    pid_t parent;
};

/* ---- the environment ---- */

static bool is_variable(const char *entry, const char *change)
{
    size_t length = strcspn(change, "=");
    return length > 0 && strncmp(entry, change, length) == 0 && entry[length] == '=';
}

static bool is_replaced(const struct launch *launch, const char *entry)
{
    const char *const *variables = launch->plan->variables;
    if ((!launch->plan->keeps_environment && is_variable(entry, TUNABLES)) ||
        ((!launch->plan->keeps_environment || launch->preload[0] != '\0') &&
         is_variable(entry, "LD_PRELOAD=")))
        return true;
    if (!launch->plan->is_in_foreground && is_variable(entry, guard_mark()))
        return true;
    for (size_t i = 0; variables != NULL && variables[i] != NULL; i++)
        if (is_variable(entry, variables[i]))
            return true;
    return false;
}

static int make_environment(struct launch *launch)
{
    const struct process_plan *plan = launch->plan;
    static char tunables[] = TUNABLES;
    size_t count = 0, more = 0, used = 0;
    while (environ[count] != NULL)
        count++;
    while (plan->variables != NULL && plan->variables[more] != NULL)
        more++;
    launch->environment = calloc(count + more + 4, sizeof *launch->environment);
    if (launch->environment == NULL)
        return ENOMEM;
    if (plan->preload != NULL && plan->preload[0] != '\0' &&
        snprintf(launch->preload, sizeof launch->preload, "LD_PRELOAD=%s", plan->preload) >=
            (int)sizeof launch->preload)
        return ENAMETOOLONG;
    if (guard_mark()[0] != '\0' && !plan->is_in_foreground) /* first, where it is found soonest */
        launch->environment[used++] = (char *)(uintptr_t)guard_mark();
    for (size_t i = 0; i < count; i++)
        if (!is_replaced(launch, environ[i]))
            launch->environment[used++] = environ[i];
    if (!plan->keeps_environment)
        launch->environment[used++] = tunables;
    if (launch->preload[0] != '\0')
        launch->environment[used++] = launch->preload;
    for (size_t i = 0; i < more; i++)
        if (plan->variables[i][0] != '\0')
            launch->environment[used++] = (char *)(uintptr_t)plan->variables[i];
    return 0;
}

/* ---- descriptors and memory ---- */

static void give(struct launch *launch, int number, int ours)
{
    launch->descriptors[launch->descriptor_count++] =
        (struct process_descriptor){.number = number, .ours = ours};
}

/* A descriptor of the launch itself; negative: errno says why there is none. */
static int take_own(struct launch *launch, int descriptor)
{
    if (descriptor < 0)
        return errno;
    launch->own[launch->own_count++] = descriptor;
    return 0;
}

static bool is_given(const struct launch *launch, int number)
{
    size_t i = 0;
    while (i < launch->descriptor_count && launch->descriptors[i].number != number)
        i++;
    return i < launch->descriptor_count;
}

static int open_memory(struct launch *launch, const struct process_memory *memory,
                       void **ret_memory, size_t *ret_size)
{
    if (memory->size == 0)
        return 0;
    int descriptor = memfd_create("mallet-memory", MFD_CLOEXEC);
    int result = take_own(launch, descriptor);
    if (result != 0)
        return result;
    if (ftruncate(descriptor, (off_t)memory->size) != 0)
        return errno;
    void *mapped = mmap(NULL, memory->size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (mapped == MAP_FAILED)
        return errno;
    *ret_memory = mapped;
    *ret_size = memory->size;
    give(launch, memory->number, descriptor);
    return 0;
}

/* Ours are never standard ones, even if those are closed: 0 says that there is none. */
static int above_standard(int descriptor)
{
    int above = descriptor < 0 ? -1 : fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (descriptor >= 0)
        close(descriptor);
    return above > 0 ? above : 0;
}

/* Where a kept line is all that is wanted the child's end refuses what does not fit: one that
 * prints for ever fills no disk and blocks nobody. */
static int open_output(struct launch *launch, struct process *process)
{
    enum process_output output = launch->plan->output;
    int pair[2];
    if (output != PROCESS_OUTPUT_LINE && output != PROCESS_OUTPUT_STREAM)
        return 0;
    if (pipe2(pair, O_CLOEXEC | (output == PROCESS_OUTPUT_LINE ? O_NONBLOCK : 0)) != 0)
        return errno;
    take_own(launch, pair[1]);
    process->output = above_standard(pair[0]);
    process->keeps_line = output == PROCESS_OUTPUT_LINE;
    if (process->output == 0)
        return errno;
    fcntl(process->output, F_SETFL, O_NONBLOCK);
    give(launch, STDOUT_FILENO, pair[1]);
    give(launch, STDERR_FILENO, pair[1]);
    return 0;
}

static int open_rest(struct launch *launch)
{
    if (launch->plan->output == PROCESS_OUTPUT_INHERITED)
        return 0;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), result = take_own(launch, null);
    for (int number = STDIN_FILENO; result == 0 && number <= STDERR_FILENO; number++)
        if (!is_given(launch, number))
            give(launch, number, null);
    return result;
}

static int open_descriptors(struct launch *launch, struct process *process)
{
    const struct process_plan *plan = launch->plan;
    enum { OWN_MAX = 3 + PROCESS_MEMORY_MAX };
    if (plan->descriptor_count + OWN_MAX > DESCRIPTORS_MAX)
        return EINVAL;
    for (size_t i = 0; i < plan->descriptor_count; i++)
        give(launch, plan->descriptors[i].number, plan->descriptors[i].ours);
    int result = 0;
    for (size_t i = 0; i < PROCESS_MEMORY_MAX && result == 0; i++)
        result =
            open_memory(launch, &plan->memory[i], &process->memory[i], &process->memory_size[i]);
    if (result == 0)
        result = open_output(launch, process);
    if (result == 0)
        result = open_rest(launch);
    if (result == 0 && plan->program != NULL && pipe2(launch->failure, O_CLOEXEC) != 0)
        result = errno;
    return result;
}

/* ---- in the child ---- */

/* A caller's mask and dispositions are its own affair: a probe may rely on SIGALRM. A body keeps
 * its handlers, such as a sanitizer's. */
static void reset_signals(const struct process_plan *plan)
{
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < SIGNALS && plan->program != NULL && !plan->is_in_foreground;
         number++)
        signal(number, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void set_limits(const struct process_plan *plan)
{
    const struct rlimit no_core = {0, 0},
                        cpu = {plan->cpu_limit_s, plan->cpu_limit_s + CPU_GRACE_S};
    if (!plan->is_in_foreground)
        setrlimit(RLIMIT_CORE, &no_core);
    if (plan->cpu_limit_s != 0)
        setrlimit(RLIMIT_CPU, &cpu);
}

/* All are first moved out of the way of the numbers that they are to get. */
static bool place_descriptors(struct launch *launch)
{
    int above = STDERR_FILENO;
    for (size_t i = 0; i < launch->descriptor_count; i++)
        if (launch->descriptors[i].number > above)
            above = launch->descriptors[i].number;
    for (size_t i = 0; i < launch->descriptor_count; i++) {
        launch->descriptors[i].ours =
            fcntl(launch->descriptors[i].ours, F_DUPFD_CLOEXEC, above + 1);
        if (launch->descriptors[i].ours < 0)
            return false;
    }
    if (launch->failure[1] >= 0)
        launch->failure[1] = fcntl(launch->failure[1], F_DUPFD_CLOEXEC, above + 1);
    for (size_t i = 0; i < launch->descriptor_count; i++)
        if (dup2(launch->descriptors[i].ours, launch->descriptors[i].number) < 0)
            return false;
    return true;
}

static _Noreturn void fail_launch(const struct launch *launch)
{
    int reason = errno;
    _exit(write(launch->failure[1], &reason, sizeof reason) == sizeof reason ? 127 : 126);
}

/* What this kernel cannot execute, execvpe would give to a shell, as a person expects of a
 * script. */
static void execute(const struct process_plan *plan, char **environment)
{
    char *const *arguments = (char *const *)(uintptr_t)plan->arguments;
    if (strchr(plan->program, '/') != NULL && !plan->is_in_foreground)
        execve(plan->program, arguments, environment);
    else
        execvpe(plan->program, arguments, environment);
}

static _Noreturn void be_child(struct launch *launch)
{
    const struct process_plan *plan = launch->plan;
    if (!plan->is_in_foreground) {
        setsid();
        guard_announce(getpid());
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != launch->parent)
        _exit(127); /* it died before it could be waited for */
    if (!place_descriptors(launch))
        fail_launch(launch);
    reset_signals(plan);
    set_limits(plan);
    if (plan->program == NULL) {
        plan->body(plan->context);
        _exit(0);
    }
    execute(plan, launch->environment);
    fail_launch(launch);
}

/* ---- in the parent ---- */

/* The errno of an exec that failed; 0 once it has worked. */
static int wait_for_exec(struct launch *launch)
{
    int reason = 0;
    ssize_t got;
    close(launch->failure[1]);
    launch->failure[1] = -1;
    do
        got = read(launch->failure[0], &reason, sizeof reason);
    while (got < 0 && errno == EINTR);
    return got == (ssize_t)sizeof reason ? reason : 0;
}

/* Whoever started us may have set it so; then no child could be waited for. */
static void stop_ignoring_children(void)
{
    struct sigaction action;
    if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
        signal(SIGCHLD, SIG_DFL);
}

static int start(struct launch *launch, struct process *process)
{
    const struct process_plan *plan = launch->plan;
    stop_ignoring_children();
    if (plan->program == NULL)
        fflush(NULL); /* else a body that calls exit writes it once more */
    launch->parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        be_child(launch);
    if (pid < 0)
        return errno;
    process->pid = pid;
    process->end = above_standard((int)syscall(SYS_pidfd_open, pid, 0));
    process->started_ms = process->looked_ms = clock_now_ms();
    return plan->program != NULL ? wait_for_exec(launch) : 0;
}

static void close_launch(struct launch *launch)
{
    for (size_t i = 0; i < launch->own_count; i++)
        close(launch->own[i]);
    for (int i = 0; i < 2; i++)
        if (launch->failure[i] >= 0)
            close(launch->failure[i]);
    free(launch->environment);
}

int process_spawn(const struct process_plan *plan, struct process *ret_process)
{
    struct launch launch = {.plan = plan, .failure = {-1, -1}};
    struct process process = {.is_alone = !plan->is_in_foreground,
                              .wall_limit_ms = plan->wall_limit_ms,
                              .has_cpu_limit = plan->cpu_limit_s != 0,
                              .read_position = plan->read_position,
                              .is_cancelled = plan->is_cancelled};
    guard_start();
    int result = make_environment(&launch);
    if (result == 0)
        result = open_descriptors(&launch, &process);
    if (result == 0)
        result = start(&launch, &process);
    close_launch(&launch);
    if (result == 0)
        *ret_process = process;
    else
        process_release(&process);
    return result;
}
