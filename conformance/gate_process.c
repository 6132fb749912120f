/* SPDX-License-Identifier: MIT */
/*
 * Runs probes: up to `jobs` processes at a time, each with a report of its own in shared memory and
 * a pipe for its output. A probe that spins is ended by the CPU limit of its process; the
 * wall-clock limit here only ends deadlocks.
 */
#include "conformance/gate_internal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

enum { JOBS_MAX = 64, WALL_LIMIT_MS = 30000, TICK_MS = 20, DESCRIPTORS = 4, FIRST_HIGH = 64 };
/* Some allocators (jemalloc, Scudo) want more static TLS than glibc keeps free for libraries that
 * are opened late. */
#define TUNABLES "GLIBC_TUNABLES=glibc.rtld.optional_static_tls=65536"

extern char **environ;

struct job {
    const struct probe *probe; /* NULL: this place is free */
    pid_t pid;
    int output;
    unsigned started_ms;
    struct probe_report *report;
    struct ending ending;
};

struct jobs {
    const struct gate_options *options;
    unsigned width;
    struct job job[JOBS_MAX];
};

static unsigned now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

/* The caller's environment, less what would change the subject behind our back. */
static char **make_environment(const struct subject_plan *plan, char *preload, size_t capacity)
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
        snprintf(preload, capacity, "LD_PRELOAD=%s", subject_plan_preload(plan));
        copy[used++] = preload;
    }
    if (plan->environment[0] != '\0')
        copy[used++] = (char *)(uintptr_t)plan->environment;
    return copy;
}

static int spawn(const struct gate_options *options, const struct probe *probe,
                 const int ends[DESCRIPTORS], pid_t *ret_pid)
{
    struct subject_plan plan = *options->subject;
    char program[PATH_MAX], preload[PATH_MAX + 16];
    if (probe->place == PLACE_PROCESS)
        subject_plan_whole_process(options->subject, &plan);
    if (!subject_plan_program(&plan, "mallet-conform", program))
        return ENOENT;
    char *const arguments[] = {program,
                               PROCESS_OPTION,
                               (char *)(uintptr_t)subject_binding_name(plan.binding),
                               plan.what,
                               (char *)(uintptr_t)probe->name,
                               NULL};
    char **environment = make_environment(&plan, preload, sizeof preload);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    if (environment == NULL || posix_spawn_file_actions_init(&actions) != 0)
        return ENOMEM;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    for (int i = 0; i < DESCRIPTORS; i++)
        posix_spawn_file_actions_adddup2(&actions, ends[i], i);
    int result = posix_spawn(ret_pid, program, &actions, &attributes, arguments, environment);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    free(environment);
    return result;
}

static int make_high(int descriptor)
{
    int high = descriptor < 0 ? -1 : fcntl(descriptor, F_DUPFD_CLOEXEC, FIRST_HIGH);
    if (descriptor >= 0)
        close(descriptor);
    return high;
}

static int open_ends(struct job *job, int ends[DESCRIPTORS])
{
    int pair[2] = {-1, -1};
    ends[0] = make_high(open("/dev/null", O_RDONLY | O_CLOEXEC));
    ends[PROCESS_REPORT] = make_high(memfd_create("mallet-report", MFD_CLOEXEC));
    if (ends[0] < 0 || ends[PROCESS_REPORT] < 0 ||
        ftruncate(ends[PROCESS_REPORT], sizeof *job->report) != 0 ||
        pipe2(pair, O_CLOEXEC | O_NONBLOCK) != 0)
        return errno;
    job->output = pair[0];
    ends[1] = ends[2] = make_high(pair[1]);
    job->report = mmap(NULL, sizeof *job->report, PROT_READ | PROT_WRITE, MAP_SHARED,
                       ends[PROCESS_REPORT], 0);
    return job->report == MAP_FAILED ? errno : 0;
}

static int start_job(struct jobs *jobs, struct job *job, const struct probe *probe)
{
    int ends[DESCRIPTORS] = {-1, -1, -1, -1};
    *job = (struct job){.probe = probe, .output = -1, .started_ms = now_ms()};
    int result = open_ends(job, ends);
    if (result == 0)
        result = spawn(jobs->options, probe, ends, &job->pid);
    close(ends[0]);
    close(ends[1]);
    close(ends[PROCESS_REPORT]);
    return result;
}

/* Keeps the first line, throws the rest away. */
static void drain(struct job *job)
{
    char chunk[4096];
    ssize_t got;
    for (int chunks = 0; chunks < 16 && (got = read(job->output, chunk, sizeof chunk)) > 0;
         chunks++) {
        size_t used = strlen(job->ending.output);
        for (ssize_t i = 0; i < got && used + 1 < OUTPUT_MAX && (chunk[i] != '\n' || used == 0);
             i++)
            if (chunk[i] != '\n')
                job->ending.output[used++] =
                    (char)(chunk[i] >= ' ' && chunk[i] <= '~' ? chunk[i] : '?');
    }
}

/* Ends what the probe left running, too: it leads its process group. */
static void end_job(struct job *job, collect_function *collect, void *context)
{
    kill(-job->pid, SIGKILL);
    drain(job);
    collect(job->probe, job->report, &job->ending, context);
    munmap(job->report, sizeof *job->report);
    close(job->output);
    job->probe = NULL;
}

static bool has_ended(struct job *job)
{
    if (!job->ending.is_timed_out && now_ms() - job->started_ms > WALL_LIMIT_MS) {
        job->ending.is_timed_out = true;
        kill(-job->pid, SIGKILL);
    }
    return waitpid(job->pid, &job->ending.status, WNOHANG) != 0;
}

static void wait_for_news(struct jobs *jobs)
{
    struct pollfd polls[JOBS_MAX];
    nfds_t count = 0;
    for (unsigned i = 0; i < jobs->width; i++)
        if (jobs->job[i].probe != NULL)
            polls[count++] = (struct pollfd){.fd = jobs->job[i].output, .events = POLLIN};
    poll(polls, count, TICK_MS);
}

static unsigned choose_width(unsigned jobs)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned width = jobs > 0 ? jobs : processors > 0 ? (unsigned)processors : 1;
    return width < JOBS_MAX ? width : JOBS_MAX;
}

int gate_run_probes(const struct gate_options *options, const struct probe *const *probes,
                    size_t count, collect_function *collect, void *context)
{
    struct jobs jobs = {.options = options, .width = choose_width(options->jobs)};
    size_t next = 0, running = 0;
    int result = 0;
    while (running > 0 || (next < count && result == 0)) {
        for (unsigned i = 0; i < jobs.width && next < count && result == 0; i++)
            if (jobs.job[i].probe == NULL &&
                (result = start_job(&jobs, &jobs.job[i], probes[next])) == 0)
                next++, running++;
        wait_for_news(&jobs);
        for (unsigned i = 0; i < jobs.width; i++) {
            struct job *job = &jobs.job[i];
            if (job->probe == NULL)
                continue;
            drain(job);
            if (has_ended(job)) {
                end_job(job, collect, context);
                running--;
            }
        }
    }
    return result;
}
