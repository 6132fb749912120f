/* SPDX-License-Identifier: MIT */
/*
 * Waiting and waking, the threads from start to end, and fork.
 *
 * A thread is over when its thread-specific data is destroyed, because allocators work there: its
 * last act is a destructor of our own, which asks to be called again until glibc's last round.
 */
#include "schedule_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- waiting ---- */

static size_t describe_wait(char *text, size_t capacity, unsigned thread)
{
    static const char *const names[] = {"",           "the lock",    "a wake-up at", "a signal of",
                                        "a block at", "the call of", "the others at"};
    const struct thread *waiting = &schedule_model.threads[thread];
    unsigned owner = waiting->wait == WAIT_LOCK ? waiting->waits_at->owner : 0;
    int length = snprintf(text, capacity, "; thread %u%s%s waits for %s %#zx", thread,
                          waiting->call[0] == 0 ? "" : " in ", waiting->call, names[waiting->wait],
                          (size_t)waiting->waits_at->address);
    if (owner != 0)
        length +=
            snprintf(text + length, capacity - (size_t)length, " that thread %u has%s", owner - 1,
                     schedule_model.threads[owner - 1].is_alive ? "" : ", which is gone");
    return (size_t)length;
}

static _Noreturn void report_deadlock(void)
{
    char text[VERDICT_SENTENCE_MAX] = "";
    const char *site = "";
    size_t length = 0;
    for (unsigned i = 1; i < THREADS_MAX; i++) {
        if (!schedule_model.threads[i].is_alive)
            continue;
        if (length < sizeof text / 2)
            length += describe_wait(text + length, sizeof text - length, i);
        if (site[0] == 0)
            site = schedule_model.threads[i].call;
    }
    schedule_fail(CHECK_PROGRESS, site, "deadlock%s%s",
                  schedule_model.is_in_child ? " in the child of fork" : "", text);
}

/* Nobody can go on but one whose wait ends by itself. */
static uint8_t end_timed_wait(void)
{
    for (unsigned i = 0; i < THREADS_MAX; i++) {
        struct thread *thread = &schedule_model.threads[i];
        if (thread->is_alive && thread->is_timed) {
            thread->wait = WAIT_NOT;
            thread->is_timed = false;
            thread->is_timed_out = true;
            return (uint8_t)(1u << i);
        }
    }
    report_deadlock();
}

static unsigned choose_successor(const char *what)
{
    schedule_count_step(what, schedule_thread->waits_at, true, 0);
    uint8_t runnable = schedule_runnable_threads();
    if (runnable == 0)
        runnable = end_timed_wait();
    return schedule_choose(runnable, schedule_next_in_turn(runnable),
                           __builtin_popcount(runnable) > 1, true);
}

bool schedule_wait(enum wait wait, struct place *place, bool is_timed)
{
    schedule_thread->wait = wait;
    schedule_thread->waits_at = place;
    schedule_thread->is_timed = is_timed;
    schedule_thread->is_timed_out = false;
    schedule_switch_to(choose_successor("waits"));
    return !schedule_thread->is_timed_out;
}

unsigned schedule_wake(enum wait wait, const struct place *place, unsigned count)
{
    unsigned woken = 0;
    for (unsigned i = 0; i < THREADS_MAX && woken < count; i++) {
        struct thread *thread = &schedule_model.threads[i];
        if (!thread->is_alive || thread->wait != wait || thread->waits_at != place)
            continue;
        thread->wait = WAIT_NOT;
        thread->is_timed = false;
        woken++;
    }
    return woken;
}

/* ---- threads ---- */

static bool is_alone(void)
{
    for (unsigned i = 1; i < THREADS_MAX; i++)
        if (schedule_model.threads[i].is_alive)
            return false;
    return true;
}

static void end_thread(void *argument)
{
    struct thread *thread = argument;
    if (++thread->rounds < PTHREAD_DESTRUCTOR_ITERATIONS) {
        (void)pthread_setspecific(schedule_model.last_act, thread);
        return;
    }
    thread->is_alive = false;
    clock_join(&schedule_model.threads[0].clock, &thread->clock);
    if (is_alone())
        schedule_model.threads[0].wait = WAIT_NOT;
    unsigned next = choose_successor("is over");
    schedule_thread = NULL;
    schedule_give_token(next);
}

static void *run_thread(void *argument)
{
    struct thread *thread = argument;
    schedule_wait_for_token(thread);
    schedule_thread = thread;
    (void)pthread_setspecific(schedule_model.last_act, thread);
    thread->body();
    return NULL;
}

static void start_thread(unsigned number, void (*body)(void))
{
    struct thread *thread = &schedule_model.threads[number];
    pthread_attr_t attributes;
    pthread_t handle;
    *thread = (struct thread){.body = body,
                              .is_alive = true,
                              .call = "",
                              .clock = schedule_thread->clock,
                              .priority = 1000 + (uint32_t)(schedule_draw() % 1000)};
    thread->clock.of[number] = 1;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, schedule_model.stacks[number], STACK_SIZE);
    if (pthread_create(&handle, &attributes, run_thread, thread) != 0)
        schedule_fail(CHECK_PROGRESS, "scheduler", "thread %u cannot be created", number);
}

void schedule_run(unsigned count, void (*const bodies[])(void))
{
    static struct place end = {.address = 1};
    for (unsigned i = 1; i <= count; i++)
        start_thread(i, bodies[i - 1]);
    schedule_thread->clock.of[0]++;
    (void)schedule_wait(WAIT_THREADS, &end, false);
}

static void draw_change_points(void)
{
    struct record *record = schedule_model.record;
    uint32_t span = record->expected_branches == 0 ? 1 : record->expected_branches;
    schedule_model.random.state = record->seed;
    schedule_model.lowest = 1000;
    if (record->change_points >
        sizeof schedule_model.change_points / sizeof schedule_model.change_points[0])
        record->change_points =
            sizeof schedule_model.change_points / sizeof schedule_model.change_points[0];
    for (uint32_t i = 0; i < record->change_points; i++)
        schedule_model.change_points[i] = 1 + (uint32_t)(schedule_draw() % span);
}

void schedule_start(struct record *record)
{
    schedule_model.record = record;
    schedule_thread = &schedule_model.threads[0];
    *schedule_thread = (struct thread){.is_alive = true, .call = "", .clock.of[0] = 1};
    (void)pthread_key_create(&schedule_model.last_act, end_thread);
    draw_change_points();
}

_Noreturn void schedule_end(void)
{
    schedule_model.record->steps = schedule_model.steps;
    schedule_model.record->is_complete = true;
    _exit(0);
}

/* ---- fork ---- */

static int child_ends[2]; /* a pipe that nobody writes to: it ends when the child does */

/* Both run before the handlers of the code under test, which are registered later: those take steps
 * already. */
static void leave_others_behind(void)
{
    if (schedule_thread == NULL)
        return;
    schedule_model.is_in_child = true;
    for (unsigned i = 0; i < THREADS_MAX; i++)
        schedule_model.threads[i].is_alive = &schedule_model.threads[i] == schedule_thread;
}

static void let_child_run(void)
{
    char nothing;
    if (schedule_thread == NULL)
        return;
    close(child_ends[1]);
    while (read(child_ends[0], &nothing, 1) < 0 && errno == EINTR)
        ;
    close(child_ends[0]);
}

__attribute__((constructor(101))) static void register_fork_handlers(void)
{
    (void)pthread_atfork(NULL, let_child_run, leave_others_behind);
}

static void judge_child(pid_t child)
{
    int status = 0;
    if (waitpid(child, &status, 0) != child)
        schedule_fail(CHECK_PROGRESS, "fork", "the child of fork cannot be waited for: errno %d",
                      errno);
    if (schedule_model.record->has_verdict)
        _exit(1);
    if (WIFSIGNALED(status))
        schedule_fail(CHECK_CRASH, "fork", "the child of fork dies of signal %d", WTERMSIG(status));
}

void schedule_fork(void (*body)(void))
{
    static struct place everything = {.address = 2};
    everything.readers = everything.writers = UINT8_MAX; /* what a child inherits is all there is */
    schedule_point("fork", &everything, true, 0);
    schedule_enter_call("fork");
    pid_t child = pipe(child_ends) == 0 ? fork() : -1;
    if (child < 0)
        schedule_fail(CHECK_PROGRESS, "fork", "fork failed with errno %d", errno);
    if (child == 0) {
        body();
        _exit(0);
    }
    judge_child(child);
    schedule_enter_call("");
}
