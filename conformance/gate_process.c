/* SPDX-License-Identifier: MIT */
/*
 * Runs probes: up to `jobs` processes at a time, each with a report of its own in shared memory and
 * a pipe for its output. A probe that spins is ended by the CPU limit of its process; the
 * wall-clock limit here only ends deadlocks.
 */
#include "conformance/gate_internal.h"

#include "harness/process/process.h"

enum { JOBS_MAX = 64, CPU_LIMIT_S = 10, WALL_LIMIT_MS = 30000, TICK_MS = 100 };

struct job {
    const struct probe *probe; /* NULL: this place is free */
    struct process process;
};

struct jobs {
    const struct gate_options *options;
    unsigned width;
    struct job job[JOBS_MAX];
};

static int start_job(const struct gate_options *options, struct job *job, const struct probe *probe)
{
    struct subject_plan subject = *options->subject;
    char program[PATH_MAX];
    if (probe->place == PLACE_PROCESS)
        subject_plan_whole_process(options->subject, &subject);
    if (!subject_plan_program(&subject, "mallet-conform", program))
        return ENOENT;
    const char *const arguments[] = {
        program,      PROCESS_OPTION, subject_binding_name(subject.binding),
        subject.what, probe->name,    NULL};
    const char *const variables[] = {subject.environment, NULL};
    const struct process_plan plan = {
        .program = program,
        .arguments = arguments,
        .preload = subject_plan_preload(&subject),
        .variables = variables,
        .memory = {{PROCESS_REPORT, sizeof(struct probe_report)}},
        .output = PROCESS_OUTPUT_LINE,
        .cpu_limit_s = CPU_LIMIT_S,
        .wall_limit_ms = WALL_LIMIT_MS,
    };
    int result = process_spawn(&plan, &job->process);
    if (result == 0)
        job->probe = probe;
    return result;
}

static void end_job(struct job *job, collect_function *collect, void *context)
{
    struct ending ending = {.status = job->process.status,
                            .is_timed_out = job->process.is_timed_out};
    process_take_line(&job->process, ending.output, sizeof ending.output);
    collect(job->probe, job->process.memory[0], &ending, context);
    process_release(&job->process);
    job->probe = NULL;
}

static void wait_for_news(struct jobs *jobs)
{
    struct process *processes[JOBS_MAX];
    for (unsigned i = 0; i < jobs->width; i++)
        processes[i] = jobs->job[i].probe != NULL ? &jobs->job[i].process : NULL;
    process_poll(processes, jobs->width, TICK_MS);
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
                (result = start_job(options, &jobs.job[i], probes[next])) == 0)
                next++, running++;
        wait_for_news(&jobs);
        for (unsigned i = 0; i < jobs.width; i++) {
            struct job *job = &jobs.job[i];
            if (job->probe != NULL && process_has_ended(&job->process)) {
                end_job(job, collect, context);
                running--;
            }
        }
    }
    return result;
}
