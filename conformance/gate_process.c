/* SPDX-License-Identifier: MIT */
/*
 * Runs probes: up to `jobs` processes at a time, each with a report of its own in shared memory and
 * a pipe for its output. A probe that spins is ended by the CPU limit of its process; the
 * wall-clock limit here only ends deadlocks.
 */
#include "conformance/gate_internal.h"

#include "harness/job/job_spawn.h"

enum { JOBS_MAX = 64, CPU_LIMIT_S = 10, WALL_LIMIT_MS = 30000, TICK_MS = 100 };

struct slot {
    const struct probe *probe; /* NULL: this place is free */
    struct process process;
};

struct jobs {
    const struct gate_options *options;
    unsigned width;
    struct slot slot[JOBS_MAX];
};

static int start_job(const struct gate_options *options, struct slot *slot,
                     const struct probe *probe)
{
    struct subject_plan subject = *options->subject;
    if (probe->place == PLACE_PROCESS)
        subject_plan_whole_process(options->subject, &subject);
    int result = job_spawn(&(struct job_order){.subject = &subject,
                                               .kind = JOB_PROBE,
                                               .name = probe->job.name,
                                               .report_size = sizeof(struct probe_report),
                                               .cpu_limit_s = CPU_LIMIT_S,
                                               .wall_limit_ms = WALL_LIMIT_MS},
                           &slot->process);
    if (result == 0)
        slot->probe = probe;
    return result;
}

static void end_job(struct slot *slot, collect_function *collect, void *context)
{
    struct ending ending = {.status = slot->process.status,
                            .is_timed_out = slot->process.is_timed_out,
                            .unbound = job_refusal(&slot->process)};
    process_take_line(&slot->process, ending.output, sizeof ending.output);
    collect(slot->probe, job_report(&slot->process), &ending, context);
    process_release(&slot->process);
    slot->probe = NULL;
}

static void wait_for_news(struct jobs *jobs)
{
    struct process *processes[JOBS_MAX];
    for (unsigned i = 0; i < jobs->width; i++)
        processes[i] = jobs->slot[i].probe != NULL ? &jobs->slot[i].process : NULL;
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
        for (unsigned i = 0; i < jobs.width && next < count && result == 0; i++) {
            if (jobs.slot[i].probe != NULL)
                continue;
            result = start_job(options, &jobs.slot[i], probes[next]);
            next += result == 0;
            running += result == 0;
        }
        wait_for_news(&jobs);
        for (unsigned i = 0; i < jobs.width; i++) {
            struct slot *slot = &jobs.slot[i];
            if (slot->probe != NULL && process_has_ended(&slot->process)) {
                end_job(slot, collect, context);
                running--;
            }
        }
    }
    return result;
}
