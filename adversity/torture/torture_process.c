/* SPDX-License-Identifier: MIT */
/* One process of a scenario: started in a group of its own, watched, and judged by its report and
 * by how it ended. */
#include "adversity/torture/torture_internal.h"

#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

enum { TICK_MS = 10, LOOK_MS = 500, DESCRIPTORS = 4, FIRST_HIGH = 64 };
/* Some allocators (jemalloc, Scudo) want more static TLS than glibc keeps free for libraries that
 * are opened late. */
#define TUNABLES "GLIBC_TUNABLES=glibc.rtld.optional_static_tls=65536"

extern char **environ;

struct process {
    pid_t pid;
    int output, status;
    struct torture_report *report;
    bool is_stuck;
    struct stall stall;
    char line[TORTURE_OUTPUT_MAX];
};

static unsigned now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

/* The caller's environment, less what would change the subject behind our back. */
static char **make_environment(const struct subject_plan *subject, char *preload, size_t capacity)
{
    static char tunables[] = TUNABLES;
    size_t count = 0, used = 0;
    while (environ[count] != NULL)
        count++;
    char **copy = calloc(count + 4, sizeof *copy);
    for (size_t i = 0; copy != NULL && i < count; i++)
        if (strncmp(environ[i], "LD_PRELOAD=", 11) != 0 &&
            strncmp(environ[i], "GLIBC_TUNABLES=", 15) != 0)
            copy[used++] = environ[i];
    if (copy == NULL)
        return NULL;
    copy[used++] = tunables;
    if (subject_plan_preload(subject) != NULL) {
        snprintf(preload, capacity, "LD_PRELOAD=%s", subject_plan_preload(subject));
        copy[used++] = preload;
    }
    if (subject->environment[0] != '\0')
        copy[used++] = (char *)(uintptr_t)subject->environment;
    return copy;
}

static int spawn(const struct torture_plan *plan, const struct torture_mode *mode,
                 const int ends[DESCRIPTORS], pid_t *ret_pid)
{
    const struct subject_plan *subject = plan->subject;
    char program[PATH_MAX], workers[16], milliseconds[16], seed[24], pace[16],
        preload[PATH_MAX + 16];
    snprintf(workers, sizeof workers, "%u", plan->workers);
    snprintf(milliseconds, sizeof milliseconds, "%u", plan->scenario->milliseconds);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)mode->seed);
    snprintf(pace, sizeof pace, "%u", mode->pace_us);
    if (!subject_plan_program(subject, "mallet-torture-child", program))
        return ENOENT;
    const char *const arguments[] = {program,       subject_binding_name(subject->binding),
                                     subject->what, plan->scenario->name,
                                     workers,       milliseconds,
                                     seed,          mode->on_one_processor ? "1" : "0",
                                     pace,          plan->muted,
                                     NULL};
    char **environment = make_environment(subject, preload, sizeof preload);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (environment == NULL || posix_spawn_file_actions_init(&actions) != 0)
        return ENOMEM;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    for (int i = 0; i < DESCRIPTORS; i++)
        posix_spawn_file_actions_adddup2(&actions, ends[i], i);
    int result = posix_spawn(ret_pid, program, &actions, &attributes,
                             (char *const *)(uintptr_t)arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    free(environment);
    return result;
}

/* Out of the way of the numbers that the child's ends are to get. */
static int make_high(int descriptor)
{
    int high = descriptor < 0 ? -1 : fcntl(descriptor, F_DUPFD_CLOEXEC, FIRST_HIGH);
    if (descriptor >= 0)
        close(descriptor);
    return high;
}

static int open_ends(struct process *process, int ends[DESCRIPTORS])
{
    int pair[2] = {-1, -1};
    ends[0] = make_high(open("/dev/null", O_RDONLY | O_CLOEXEC));
    ends[TORTURE_REPORT] = make_high(memfd_create("mallet-report", MFD_CLOEXEC));
    if (ends[0] < 0 || ends[TORTURE_REPORT] < 0 ||
        ftruncate(ends[TORTURE_REPORT], sizeof *process->report) != 0 ||
        pipe2(pair, O_CLOEXEC | O_NONBLOCK) != 0)
        return errno;
    process->output = pair[0];
    ends[1] = ends[2] = make_high(pair[1]);
    process->report = mmap(NULL, sizeof *process->report, PROT_READ | PROT_WRITE, MAP_SHARED,
                           ends[TORTURE_REPORT], 0);
    return process->report == MAP_FAILED ? errno : 0;
}

static int start(struct process *process, const struct torture_plan *plan,
                 const struct torture_mode *mode)
{
    int ends[DESCRIPTORS] = {-1, -1, -1, -1};
    int result = open_ends(process, ends);
    if (result == 0)
        result = spawn(plan, mode, ends, &process->pid);
    close(ends[0]);
    close(ends[1]);
    close(ends[TORTURE_REPORT]);
    return result;
}

/* Keeps the first line that has a letter in it, throws the rest away. */
static void drain(struct process *process)
{
    char chunk[4096];
    ssize_t got;
    for (int chunks = 0; chunks < 16 && (got = read(process->output, chunk, sizeof chunk)) > 0;
         chunks++)
        for (ssize_t i = 0; i < got; i++) {
            size_t used = strlen(process->line);
            bool is_complete = used > 0 && process->line[used - 1] == '\n';
            if (is_complete || used + 1 == sizeof process->line ||
                (used == 0 && !isalnum((unsigned char)chunk[i])))
                continue;
            process->line[used] =
                (char)(chunk[i] == '\n' || (chunk[i] >= ' ' && chunk[i] <= '~') ? chunk[i] : '?');
        }
}

static uint64_t read_position(const struct torture_report *report)
{
    uint64_t position = report->forks + report->lives + report->is_over;
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        position += report->workers[i].calls;
    return position;
}

static void watch(struct process *process)
{
    unsigned last_look = now_ms();
    while (waitpid(process->pid, &process->status, WNOHANG) == 0) {
        struct pollfd output = {.fd = process->output, .events = POLLIN};
        poll(&output, 1, TICK_MS);
        drain(process);
        if (now_ms() - last_look < LOOK_MS)
            continue;
        last_look = now_ms();
        if (!process->is_stuck && stall_observe(&process->stall, process->pid,
                                                read_position(process->report), last_look)) {
            process->is_stuck = true;
            kill(-process->pid, SIGKILL);
        }
    }
    kill(-process->pid, SIGKILL); /* children of forks that hang */
    drain(process);
}

static void add_counts(const struct torture_report *report, struct torture_result *result)
{
    result->processes++;
    result->offers = report->offers;
    result->forks += report->forks;
    result->lives += report->lives;
    result->interruptions += report->interruptions;
    for (unsigned i = 0; i < WORKERS_MAX; i++)
        result->calls += report->workers[i].calls;
}

static void describe_stall(const struct process *process, const struct torture_plan *plan,
                           struct torture_result *result)
{
    char *sentence = result->verdict.sentence;
    const struct stall *stall = &process->stall;
    size_t used = (size_t)snprintf(
        sentence, VERDICT_SENTENCE_MAX,
        "no call returns: %u of %u threads are blocked, which used %llu ms of CPU in %llu turns;",
        stall->now.blocked, stall->now.threads,
        (unsigned long long)(stall->now.cpu_us - stall->first.cpu_us) / 1000,
        (unsigned long long)(stall->now.turns - stall->first.turns));
    for (unsigned i = 0; i < plan->workers; i++) {
        unsigned call = process->report->workers[i].call;
        if (call == IN_NONE || call >= IN_COUNT || used >= VERDICT_SENTENCE_MAX)
            continue;
        snprintf(result->call, sizeof result->call, "%s", torture_call_name(call));
        used += (size_t)snprintf(sentence + used, VERDICT_SENTENCE_MAX - used,
                                 " thread %u is in %s", i, torture_call_name(call));
    }
}

/* A report that the subject may have written to: what is no check is a crash. */
static void take_told(const struct torture_report *report, const struct torture_plan *plan,
                      struct torture_result *result)
{
    struct torture_report copy;
    memcpy(&copy, (const void *)report, sizeof copy);
    copy.check[sizeof copy.check - 1] = copy.call[sizeof copy.call - 1] =
        copy.sentence[sizeof copy.sentence - 1] = '\0';
    enum check check = check_find(copy.check);
    result->verdict.check = check < CHECK_COUNT ? check : CHECK_CRASH;
    result->verdict.op = copy.worker < plan->workers ? copy.worker : VERDICT_NO_OP;
    snprintf(result->call, sizeof result->call, "%s", copy.call);
    snprintf(result->verdict.sentence, VERDICT_SENTENCE_MAX, "%s", copy.sentence);
}

static void judge(const struct process *process, const struct torture_plan *plan,
                  struct torture_result *result)
{
    int status = process->status;
    snprintf(result->call, sizeof result->call, "none");
    result->verdict.op = VERDICT_NO_OP;
    snprintf(result->output, sizeof result->output, "%.*s", (int)strcspn(process->line, "\n"),
             process->line);
    snprintf(result->verdict.site, VERDICT_SITE_MAX, "torture/%s", plan->scenario->name);
    result->has_finding = true;
    if (process->report->is_told != 0) {
        take_told(process->report, plan, result);
    } else if (process->is_stuck) {
        result->verdict.check = CHECK_PROGRESS;
        describe_stall(process, plan, result);
    } else if (WIFSIGNALED(status)) {
        result->verdict.check = CHECK_CRASH;
        snprintf(result->verdict.sentence, VERDICT_SENTENCE_MAX,
                 "the process died of signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) != 0 || process->report->is_over == 0) {
        result->verdict.check = CHECK_CRASH;
        snprintf(result->verdict.sentence, VERDICT_SENTENCE_MAX,
                 "the process ended by exit(%d), not by the scenario", WEXITSTATUS(status));
    } else {
        result->has_finding = false;
    }
}

int torture_run_process(const struct torture_plan *plan, const struct torture_mode *mode,
                        struct torture_result *result, char error[SUBJECT_ERROR_MAX])
{
    struct process process = {.output = -1, .report = MAP_FAILED};
    int failure = start(&process, plan, mode);
    if (failure == 0) {
        watch(&process);
        add_counts(process.report, result);
        if (WIFEXITED(process.status) && WEXITSTATUS(process.status) == TORTURE_EXIT_USAGE)
            failure = ENOEXEC;
        else
            judge(&process, plan, result);
    }
    if (failure != 0)
        snprintf(error, SUBJECT_ERROR_MAX, "cannot run %s: %s", plan->subject->name,
                 process.line[0] != '\0' ? process.line : strerror(failure));
    if (process.report != MAP_FAILED)
        munmap(process.report, sizeof *process.report);
    if (process.output >= 0)
        close(process.output);
    return failure;
}
