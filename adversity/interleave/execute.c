/* SPDX-License-Identifier: MIT */
/*
 * One execution is one forked process: it starts from the same state every time, with the same
 * addresses, and may crash. It runs on one processor, because only one of its threads runs
 * at a time and handing over is cheaper there.
 *
 * The scheduler sees deadlocks and endless waiting by itself, in steps. The limits here are for
 * code that waits or loops where no step is: processor time, and wall time for what waits in the
 * system itself.
 */
#include "explore.h"

#include "harness/process/process.h"

#include "race.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CPU_SECONDS = 10, WALL_MS = 60000 };

int explorer_init(struct explorer *explorer)
{
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET((unsigned)sched_getcpu(), &here);
    (void)sched_setaffinity(0, sizeof here, &here);
    explorer->record = mmap(NULL, sizeof *explorer->record, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    explorer->output = memfd_create("output", MFD_CLOEXEC);
    if (explorer->record == MAP_FAILED || explorer->output < 0)
        return errno;
    return race_init();
}

void explorer_done(struct explorer *explorer)
{
    (void)munmap(explorer->record, sizeof *explorer->record);
    close(explorer->output);
}

void explorer_forget_places(struct explorer *explorer)
{
    memset(explorer->record->shared_places, 0, sizeof explorer->record->shared_places);
    explorer->record->shared_place_count = 0;
}

static void forget_last(struct record *record)
{
    record->is_complete = record->has_verdict = false;
    record->steps = record->preemptions = record->current = 0;
    record->branch_count = record->event_count = record->taken.count = 0;
    record->codes[0] = record->codes[1] = 0;
    record->output[0] = 0;
}

static void be_execution(void *context)
{
    const struct explorer *explorer = context;
    schedule_start(explorer->record);
    story_play(explorer->scenario, explorer->subject, explorer->size);
    schedule_end();
}

static void set_verdict(struct record *record, enum check check, const char *what, int number)
{
    record->has_verdict = true;
    record->verdict = (struct verdict){.check = check, .op = record->steps};
    snprintf(record->verdict.site, sizeof record->verdict.site, "thread %u", record->current);
    snprintf(record->verdict.sentence, sizeof record->verdict.sentence, what, record->current,
             number);
}

static void judge_end(struct record *record, int status)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        set_verdict(record, CHECK_PROGRESS,
                    "thread %u does not come back in %d s of processor time", CPU_SECONDS);
    else if (WIFSIGNALED(status))
        set_verdict(record, CHECK_CRASH, "thread %u dies of signal %d", WTERMSIG(status));
    else
        set_verdict(record, CHECK_CRASH, "thread %u ends the process with status %d",
                    WEXITSTATUS(status));
}

static void keep_output(const struct explorer *explorer)
{
    char *output = explorer->record->output;
    off_t length = lseek(explorer->output, 0, SEEK_END);
    off_t start = length < OUTPUT_MAX ? 0 : length - OUTPUT_MAX + 1;
    ssize_t got = length <= 0 ? 0 : pread(explorer->output, output, OUTPUT_MAX - 1, start);
    output[got < 0 ? 0 : got] = 0;
    (void)ftruncate(explorer->output, 0);
    (void)lseek(explorer->output, 0, SEEK_SET);
}

void explorer_execute(struct explorer *explorer)
{
    struct record *record = explorer->record;
    const struct process_descriptor output = {STDERR_FILENO, explorer->output};
    const struct process_plan plan = {.body = be_execution,
                                      .context = explorer,
                                      .descriptors = &output,
                                      .descriptor_count = 1,
                                      .output = PROCESS_OUTPUT_INHERITED,
                                      .cpu_limit_s = CPU_SECONDS,
                                      .wall_limit_ms = WALL_MS};
    struct process process;
    forget_last(record);
    explorer->executions++;
    int failure = process_run(&plan, &process);
    if (failure != 0)
        set_verdict(record, CHECK_PROGRESS, "no process for thread %u: errno %d", failure);
    else if (process.is_timed_out)
        set_verdict(record, CHECK_PROGRESS,
                    "thread %u waits in the system, out of the scheduler's sight, for %d ms",
                    WALL_MS);
    else if (!record->has_verdict && !record->is_complete)
        judge_end(record, process.status);
    if (record->has_verdict)
        keep_output(explorer);
}

bool explorer_follow(struct explorer *explorer, const struct schedule *schedule, bool wants_events)
{
    struct record *record = explorer->record;
    record->strategy = FOLLOW;
    record->follow = *schedule;
    record->wants_events = wants_events;
    explorer_execute(explorer);
    record->wants_events = false;
    return record->has_verdict;
}
