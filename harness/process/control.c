/* SPDX-License-Identifier: MIT */
#include "harness/process/control.h"

#include "harness/process/process.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_US = 19000, TURN_NS = 1000000 };

static struct {
    struct process process;
    uint64_t *turns; /* shared with it; written by it alone */
    pid_t owner;     /* the process that started it: a fork of that one starts its own */
} control;

static uint64_t read_cpu_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

static void take_turns(void *turns)
{
    for (;;) {
        for (uint64_t start = read_cpu_ns(); read_cpu_ns() - start < TURN_NS;)
            ;
        __atomic_add_fetch((uint64_t *)turns, 1, __ATOMIC_RELAXED);
        usleep(PAUSE_US);
    }
}

static void end_control(void)
{
    if (control.owner == getpid())
        process_release(&control.process);
}

static void start_control(void)
{
    control.process = (struct process){0};
    control.owner = getpid();
    void *memory = mmap(NULL, sizeof *control.turns, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    control.turns = memory != MAP_FAILED ? memory : NULL;
    if (control.turns == NULL)
        return;
    const struct process_plan plan = {.body = take_turns, .context = control.turns};
    if (process_spawn(&plan, &control.process) == 0)
        atexit(end_control);
}

uint64_t control_turns(void)
{
    if (control.owner != getpid())
        start_control();
    return control.turns != NULL ? __atomic_load_n(control.turns, __ATOMIC_RELAXED) : 0;
}
