/* SPDX-License-Identifier: MIT */
/*
 * Runs probes: up to `jobs` processes at a time, each with a report of its own in shared memory and
 * a pipe for its output.
 *
 * A probe is stopped for one of two reasons, which are told apart by the calls that it counts: the
 * subject hangs in a call, that is, much processor time goes by in it or nobody runs any more; or
 * the probe needs more processor time in all than it is given, which says nothing of the subject
 * but that it is slow. Wall time is no reason, but to let others go first.
 */
#include "conformance/gate_internal.h"

#include "harness/base/clock.h"
#include "harness/base/memory.h"
#include "harness/base/proc.h"
#include "harness/job/job_spawn.h"

#include <signal.h>
#include <sys/wait.h>

enum {
    JOBS_MAX = 64,
    TICK_MS = 100,
    LOOK_MS = 250,
    /* So many hangs in a simple call are enough: what else needs the call is not run. */
    HANGS_ENOUGH = 3,
    SIMPLE_CALLS = 10000,
    SIMPLE_SIZE = 64 << 10,
    CAPACITY_CPU_S = 3, /* where the time of the run is limited */
    CAPACITY_WALL_MS = 20000
};

struct slot {
    const struct probe *probe; /* NULL: this place is free */
    struct process process;
    uint64_t looked_ms;
    uint64_t position,
        cpu_us; /* calls when it was looked at, and the processor time at their last */
    enum ending_kind kind;
    unsigned hang_ms;
    bool is_first_try; /* with little time */
    bool is_put_off;   /* it was stopped, as that was over */
    uint64_t started_ms;
};

struct jobs {
    const struct gate_options *options;
    collect_function *collect;
    void *context;
    uint64_t end_ms; /* 0: none */
    uint64_t ran;    /* probes */
    unsigned width;
    struct slot slot[JOBS_MAX];
    const struct probe **queue;     /* [next, count): to run; put off ones are added at the end */
    size_t next, count, first_pass; /* first_pass: those before are run with little time */
    unsigned hangs[CALL_COUNT];     /* in simple calls, by function */
    bool has_hung[CALL_COUNT];      /* in any call */
    struct probe_call hanging;      /* the first function with enough of them */
    char reason[CALL_TEXT_MAX + 64];
};

static uint64_t read_position(const struct process *process)
{
    const struct probe_report *report = job_report(process);
    return atomic_load(&report->calls.begun) + atomic_load(&report->calls.ended);
}

static int start_job(const struct gate_options *options, struct slot *slot,
                     const struct probe *probe, unsigned cpu_limit_s, const char *const *arguments)
{
    struct subject_plan subject = *options->subject;
    if (probe->place == PLACE_PROCESS ||
        (probe->place == PLACE_EITHER && gate_can_serve_process(&subject)))
        subject_plan_whole_process(options->subject, &subject);
    *slot = (struct slot){0};
    int result = job_spawn(&(struct job_order){.subject = &subject,
                                               .kind = JOB_PROBE,
                                               .name = probe->job.name,
                                               .arguments = arguments,
                                               .report_size = sizeof(struct probe_report),
                                               .cpu_limit_s = cpu_limit_s,
                                               .read_position = read_position},
                           &slot->process);
    if (result == 0)
        slot->probe = probe;
    return result;
}

/* A call on a large block may take longer. */
static unsigned hang_limit_ms(const struct jobs *jobs, const struct slot *slot)
{
    const struct probe_report *report = job_report(&slot->process);
    const struct probe_call *call = &report->calls.last;
    unsigned limit =
        call->id < CALL_COUNT && jobs->has_hung[call->id] ? HANG_CPU_MS : HANG_FIRST_CPU_MS;
    unsigned most = 0;
    for (unsigned i = 0; i < 3; i++) {
        unsigned touch = memory_touch_ms(call->argument[i]);
        most = touch > most ? touch : most;
    }
    return limit + most;
}

/* Stops a process in whose current call too much processor time went by. */
static void look_for_hang(const struct jobs *jobs, struct slot *slot)
{
    uint64_t now_ms = clock_now_ms(), position = read_position(&slot->process);
    if (now_ms - slot->looked_ms < LOOK_MS)
        return;
    slot->looked_ms = now_ms;
    uint64_t cpu_us = proc_read_group(slot->process.pid).cpu_us;
    /* It falls when children of the probe end. Before any call the subject is not to blame. */
    if (position != slot->position || position == 0 || cpu_us < slot->cpu_us) {
        slot->position = position;
        slot->cpu_us = cpu_us;
    } else if (cpu_us - slot->cpu_us > hang_limit_ms(jobs, slot) * UINT64_C(1000)) {
        slot->kind = ENDING_HANG;
        slot->hang_ms = (unsigned)((cpu_us - slot->cpu_us) / 1000);
        process_kill(&slot->process);
    }
}

/* SIGKILL comes from the hard part of the processor limit, when SIGXCPU is blocked. */
static enum ending_kind classify(const struct slot *slot)
{
    const struct process *process = &slot->process;
    int number = WIFSIGNALED(process->status) ? WTERMSIG(process->status) : 0;
    if (slot->kind != ENDING_OWN)
        return slot->kind;
    if (process->is_stuck)
        return ENDING_HANG;
    return number == SIGXCPU || number == SIGKILL ? ENDING_SLOW : ENDING_OWN;
}

static bool is_simple(const struct probe_call *call)
{
    for (unsigned i = 0; i < call->arguments && i < 3; i++) {
        bool is_block = i == 0 && (call->id == CALL_free || call->id == CALL_realloc);
        if (!is_block && call->argument[i] > SIMPLE_SIZE)
            return false;
    }
    return true;
}

/* Remembers a hang of a single thread in one of its first calls: probably every probe meets it. */
static void note_hang(struct jobs *jobs, const struct slot *slot, const struct ending *ending)
{
    const struct probe_report *report = job_report(&slot->process);
    struct probe_call call = report->calls.last;
    if (ending->kind == ENDING_HANG && call.id < CALL_COUNT)
        jobs->has_hung[call.id] = true;
    if (ending->kind != ENDING_HANG || slot->probe->place != PLACE_CALLS ||
        report->phase != PHASE_PROBE || call.id >= CALL_COUNT || !is_simple(&call) ||
        atomic_load(&report->calls.begun) > SIMPLE_CALLS || ++jobs->hangs[call.id] != HANGS_ENOUGH)
        return;
    char text[CALL_TEXT_MAX];
    jobs->hanging = jobs->hanging.id == CALL_NONE ? call : jobs->hanging;
    snprintf(jobs->reason, sizeof jobs->reason, "the subject hangs in %s",
             gate_describe_call(&jobs->hanging, text));
}

static void end_job(struct jobs *jobs, struct slot *slot)
{
    enum ending_kind kind = classify(slot);
    if (slot->is_put_off || (kind == ENDING_SLOW && slot->is_first_try)) {
        jobs->queue[jobs->count++] = slot->probe;
        process_release(&slot->process);
        slot->probe = NULL;
        return;
    }
    struct ending ending = {.kind = kind,
                            .is_deadlock = slot->process.is_stuck,
                            .hang_ms = slot->hang_ms,
                            .status = slot->process.status,
                            .reason = "the time of the run was over",
                            .offers = job_offers(&slot->process),
                            .unbound = job_refusal(&slot->process)};
    process_take_line(&slot->process, ending.output, sizeof ending.output);
    note_hang(jobs, slot, &ending);
    jobs->ran += kind != ENDING_NOT_RUN;
    jobs->collect(slot->probe, job_report(&slot->process), &ending, jobs->context);
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

/* Of a subject that sleeps in its calls, a probe may take minutes without processor time. */
static bool is_to_wait(const struct slot *slot)
{
    return slot->is_first_try && clock_now_ms() - slot->started_ms > FIRST_WALL_MS;
}

/* Ends what has ended or is to be ended. Returns how many still run. */
static size_t look_at_jobs(struct jobs *jobs, bool is_over)
{
    size_t running = 0;
    for (unsigned i = 0; i < jobs->width; i++) {
        struct slot *slot = &jobs->slot[i];
        if (slot->probe == NULL)
            continue;
        bool has_ended = process_has_ended(&slot->process);
        if (!has_ended && is_over) {
            slot->kind = ENDING_NOT_RUN;
            process_kill(&slot->process);
        } else if (!has_ended && is_to_wait(slot)) {
            slot->is_put_off = true;
            process_kill(&slot->process);
        } else if (!has_ended) {
            look_for_hang(jobs, slot);
        }
        if (process_has_ended(&slot->process))
            end_job(jobs, slot);
        else
            running++;
    }
    return running;
}

static unsigned choose_width(unsigned jobs)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned width = jobs > 0 ? jobs : processors > 0 ? (unsigned)processors : 1;
    return width < JOBS_MAX ? width : JOBS_MAX;
}

/* NULL: it can be run. */
static const char *find_reason(const struct jobs *jobs, const struct probe *probe, bool is_over)
{
    if (is_over)
        return "the time of the run was over";
    for (unsigned id = CALL_NONE + 1; id < CALL_COUNT; id++) {
        bool is_needed = id == CALL_malloc || id == CALL_free ||
                         (id <= SUBJECT_CALL_COUNT && (probe->job.needs >> (id - 1) & 1) != 0);
        if (jobs->hangs[id] >= HANGS_ENOUGH && is_needed)
            return jobs->reason;
    }
    return NULL;
}

static bool is_over(const struct jobs *jobs)
{
    bool is_late = jobs->end_ms != 0 && clock_now_ms() >= jobs->end_ms;
    return (is_late && jobs->ran >= jobs->options->at_least) ||
           (jobs->options->is_over != NULL && jobs->options->is_over());
}

/* Starts the next probe in a free place, or hands it over as not run. */
static int start_next(struct jobs *jobs, struct slot *slot)
{
    const struct probe *probe = jobs->queue[jobs->next];
    /* Children of a process probe would be stopped, too, and look like the subject's fault. */
    bool is_first_try = jobs->next < jobs->first_pass && probe->place == PLACE_CALLS;
    static const struct probe_report no_report;
    const char *reason = find_reason(jobs, probe, is_over(jobs));
    if (reason == NULL) {
        int result =
            start_job(jobs->options, slot, probe, is_first_try ? FIRST_CPU_S : PROBE_CPU_S, NULL);
        slot->is_first_try = is_first_try;
        slot->started_ms = clock_now_ms();
        jobs->next += result == 0;
        return result;
    }
    jobs->next++;
    const struct ending ending = {.kind = ENDING_NOT_RUN, .reason = reason};
    jobs->collect(probe, &no_report, &ending, jobs->context);
    return 0;
}

/* Where time is limited, what cannot be put off comes behind all that can. */
static void fill_queue(struct jobs *jobs, const struct probe *const *probes)
{
    size_t used = 0;
    for (int is_late = 0; is_late < 2; is_late++)
        for (size_t i = 0; i < jobs->count; i++)
            if ((jobs->first_pass > 0 && probes[i]->place != PLACE_CALLS) == is_late)
                jobs->queue[used++] = probes[i];
}

int gate_run_probes(const struct gate_options *options, const struct probe *const *probes,
                    size_t count, collect_function *collect, void *context)
{
    static struct jobs jobs;
    jobs = (struct jobs){.options = options,
                         .collect = collect,
                         .context = context,
                         .end_ms = options->limit_ms > 0 ? clock_now_ms() + options->limit_ms : 0,
                         .width = choose_width(options->jobs),
                         .queue = calloc(2 * count + 1, sizeof *jobs.queue),
                         .count = count,
                         .first_pass = options->limit_ms > 0 ? count : 0};
    size_t running = 0;
    int result = jobs.queue != NULL ? 0 : ENOMEM;
    if (result == 0)
        fill_queue(&jobs, probes);
    do {
        for (unsigned i = 0; i < jobs.width; i++)
            while (jobs.slot[i].probe == NULL && jobs.next < jobs.count && result == 0)
                result = start_next(&jobs, &jobs.slot[i]);
        wait_for_news(&jobs);
        running = look_at_jobs(&jobs, is_over(&jobs));
    } while (running > 0 || (jobs.next < jobs.count && result == 0));
    free(jobs.queue);
    return result;
}

struct probe_capacity gate_measure_capacity(const struct gate_options *options,
                                            const struct probe_capacity *asked)
{
    struct slot slot;
    char numbers[3][24];
    const char *const arguments[] = {numbers[0], numbers[1], numbers[2], NULL};
    snprintf(numbers[0], sizeof numbers[0], "%llu", (unsigned long long)asked->largest);
    snprintf(numbers[1], sizeof numbers[1], "%llu", (unsigned long long)asked->blocks);
    snprintf(numbers[2], sizeof numbers[2], "%llu", (unsigned long long)asked->bytes);
    if (start_job(options, &slot, &capacity_probe,
                  options->limit_ms > 0 ? CAPACITY_CPU_S : PROBE_CPU_S, arguments) != 0)
        return (struct probe_capacity){0};
    slot.process.wall_limit_ms = CAPACITY_WALL_MS;
    process_wait(&slot.process);
    struct probe_capacity capacity =
        ((const struct probe_report *)job_report(&slot.process))->capacity;
    process_release(&slot.process);
    return capacity;
}
