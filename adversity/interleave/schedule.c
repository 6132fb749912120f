/* SPDX-License-Identifier: MIT */
/*
 * Threads, the token, and the choice at every step.
 *
 *   point ──→ a step ──→ who is next? ── the running thread ──→ it goes on
 *                                     └─ another ──→ it gets the token, the running thread waits for it to come back
 *
 * Steps are numbered, so that a schedule means the same in every process. A step is a branch if another thread could go on, the place is shared,
 * and the thread is not just seeing the same value again; the explorers try the alternatives of branches only.
 *
 * A thread is over when its thread-specific data is destroyed, because allocators work there: its last act is a destructor of our own, which
 * asks to be called again until glibc's last round.
 */
#include "schedule.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    STACK_SIZE = 256 * 1024,
    SAME_MAX = 2,           /* so many steps that saw what one before them saw: no branch any more */
    SEEN_MAX = 4,           /* steps that are remembered for it */
    IDLE_MAX = 200,         /* that many steps that changed nothing: let others go on */
    ACCESSES_MAX = 30000000 /* plain ones without a step between */
};

struct thread {
    void (*body)(void);
    _Atomic(uint32_t) token; /* a futex: 1 when it may run */
    bool is_alive;           /* started and not over; in the child of a fork: the forking thread alone */
    enum wait wait;
    const struct place *waits_at;
    bool is_timed, is_timed_out;
    bool has_yielded; /* since it got the token */
    struct clock clock;
    const char *call; /* of the subject; "" outside */
    struct {
        const struct place *place;
        uint64_t value;
    } seen[SEEN_MAX]; /* since it got the token, or changed anything */
    unsigned seen_count, same, idle;
    uint32_t priority, rounds;
};

static struct {
    struct record *record;
    struct thread threads[THREADS_MAX];
    uint32_t steps, next_decision, branches, accesses;
    uint32_t change_points[THREADS_MAX * 4];
    uint64_t random;
    uint32_t lowest;
    bool is_in_child;
    pthread_key_t last_act;
    char stacks[THREADS_MAX][STACK_SIZE] __attribute__((aligned(4096)));
} model;

static __thread struct thread *self; /* NULL: not one of the threads above, or over */

/* ---- who and when ---- */

bool schedule_is_on(void)
{
    return self != NULL;
}

unsigned schedule_self(void)
{
    return (unsigned)(self - model.threads);
}

struct clock *schedule_clock(void)
{
    return &self->clock;
}

bool schedule_is_in_child(void)
{
    return model.is_in_child;
}

void schedule_enter_call(const char *name)
{
    self->call = name;
}

void schedule_name_codes(uintptr_t code, uintptr_t other)
{
    model.record->codes[0] = code;
    model.record->codes[1] = other;
}

_Noreturn void schedule_fail(enum check check, const char *site, const char *format, ...)
{
    struct verdict *verdict = &model.record->verdict;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(verdict->sentence, sizeof verdict->sentence, format, arguments);
    va_end(arguments);
    snprintf(verdict->site, sizeof verdict->site, "%s", site[0] != 0 ? site : self->call);
    verdict->check = check;
    verdict->op = model.steps;
    model.record->has_verdict = true;
    if (!model.is_in_child)
        model.record->steps = model.steps;
    _exit(1);
}

void schedule_count_access(void)
{
    if (++model.accesses > ACCESSES_MAX)
        schedule_fail(CHECK_PROGRESS, "", "thread %u makes %d plain accesses and no step: it loops", schedule_self(), ACCESSES_MAX);
}

/* ---- the token ---- */

static void wait_for_token(struct thread *thread)
{
    while (atomic_exchange(&thread->token, 0) == 0)
        (void)syscall(SYS_futex, &thread->token, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void give_token(unsigned next)
{
    struct thread *thread = &model.threads[next];
    model.record->current = next;
    thread->seen_count = thread->same = thread->idle = 0;
    thread->has_yielded = false;
    atomic_store(&thread->token, 1);
    (void)syscall(SYS_futex, &thread->token, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void switch_to(unsigned next)
{
    if (next == schedule_self())
        return;
    int saved = errno;
    give_token(next);
    wait_for_token(self);
    errno = saved;
}

/* ---- the choice ---- */

static uint8_t runnable_threads(void)
{
    unsigned mask = 0;
    for (unsigned i = 0; i < THREADS_MAX; i++)
        mask |= (unsigned)(model.threads[i].is_alive && model.threads[i].wait == WAIT_NOT) << i;
    return (uint8_t)mask;
}

/* The next one in turn after the running thread; itself if there is no other. */
static unsigned next_in_turn(uint8_t runnable)
{
    unsigned next = schedule_self();
    do
        next = (next + 1) % THREADS_MAX;
    while (!(runnable >> next & 1));
    return next;
}

static uint64_t draw(void)
{
    uint64_t mixed = model.random += 0x9e3779b97f4a7c15u; /* splitmix64 */
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return mixed ^ mixed >> 31;
}

static unsigned highest_priority(uint8_t runnable)
{
    unsigned best = THREADS_MAX;
    for (unsigned i = 0; i < THREADS_MAX; i++)
        if (runnable >> i & 1 && (best == THREADS_MAX || model.threads[i].priority > model.threads[best].priority))
            best = i;
    return best;
}

static bool is_change_point(void)
{
    for (uint32_t i = 0; i < model.record->change_points; i++)
        if (model.change_points[i] == model.branches)
            return true;
    return false;
}

static unsigned choose_by_priority(uint8_t runnable, bool must_leave)
{
    if (must_leave || is_change_point())
        self->priority = --model.lowest;
    return highest_priority(runnable);
}

static unsigned choose_by_schedule(uint8_t runnable, unsigned fallback)
{
    const struct schedule *follow = &model.record->follow;
    uint32_t next = model.next_decision;
    if (next == follow->count || follow->decisions[next].step != model.steps)
        return fallback;
    model.next_decision++;
    unsigned thread = follow->decisions[next].thread;
    return thread < THREADS_MAX && runnable >> thread & 1 ? thread : fallback;
}

static void note_choice(uint8_t runnable, unsigned fallback, unsigned chosen, bool is_branch, bool is_free)
{
    struct record *record = model.record;
    if (is_branch && record->branch_count < BRANCHES_MAX)
        record->branches[record->branch_count++] = (struct branch){model.steps, runnable, (uint8_t)fallback, (uint8_t)chosen, is_free};
    if (chosen != fallback && record->taken.count < DECISIONS_MAX)
        record->taken.decisions[record->taken.count++] = (struct decision){model.steps, chosen};
    record->preemptions += !is_free && chosen != schedule_self();
}

static unsigned choose(uint8_t runnable, unsigned fallback, bool is_branch, bool is_free)
{
    unsigned chosen;
    model.branches += is_branch;
    if (model.record->strategy == PRIORITIES)
        chosen = is_branch || is_free ? choose_by_priority(runnable, fallback != schedule_self()) : fallback;
    else
        chosen = choose_by_schedule(runnable, fallback);
    note_choice(runnable, fallback, chosen, is_branch, is_free);
    return chosen;
}

static void count_step(const char *what, const struct place *place, bool is_shared, uintptr_t code)
{
    struct record *record = model.record;
    model.accesses = 0;
    if (++model.steps > STEPS_MAX)
        schedule_fail(CHECK_PROGRESS, "", "no end after %d steps: the threads wait for each other without sleeping", (int)STEPS_MAX);
    if (record->wants_events && record->event_count < EVENTS_MAX)
        record->events[record->event_count++] = (struct event){
            model.steps, (uint8_t)schedule_self(), is_shared, model.is_in_child, what, place == NULL ? 0 : place->address, code};
}

void schedule_point(const char *what, struct place *place, bool is_write, uintptr_t code)
{
    bool is_shared = place_use(place, is_write, model.record);
    count_step(what, place, is_shared, code);
    uint8_t runnable = runnable_threads();
    bool must_leave = ++self->idle > IDLE_MAX;
    bool has_others = __builtin_popcount(runnable) > 1;
    unsigned fallback = must_leave ? next_in_turn(runnable) : schedule_self();
    bool is_branch = has_others && !must_leave && is_shared && self->same < SAME_MAX;
    switch_to(choose(runnable, fallback, is_branch, must_leave));
}

static bool has_seen(const struct place *place, uint64_t value)
{
    for (unsigned i = 0; i < SEEN_MAX && i < self->seen_count; i++)
        if (self->seen[i].place == place && self->seen[i].value == value)
            return true;
    self->seen[self->seen_count % SEEN_MAX].place = place;
    self->seen[self->seen_count++ % SEEN_MAX].value = value;
    return false;
}

void schedule_saw(const struct place *place, uint64_t value, bool has_changed)
{
    if (has_changed)
        self->seen_count = self->idle = 0;
    self->same = !has_changed && has_seen(place, value) ? self->same + 1 : 0;
}

void schedule_yield(const char *what, uintptr_t code)
{
    count_step(what, NULL, true, code);
    uint8_t runnable = runnable_threads();
    bool is_branch = __builtin_popcount(runnable) > 1 && !self->has_yielded;
    self->has_yielded = true;
    switch_to(choose(runnable, schedule_self(), is_branch, true));
}

/* ---- waiting ---- */

static size_t describe_wait(char *text, size_t capacity, unsigned thread)
{
    static const char *const names[] = {"", "the lock", "a wake-up at", "a signal of", "a block at", "the call of", "the others at"};
    const struct thread *waiting = &model.threads[thread];
    unsigned owner = waiting->wait == WAIT_LOCK ? waiting->waits_at->owner : 0;
    int length = snprintf(text, capacity, "; thread %u%s%s waits for %s %#zx", thread, waiting->call[0] == 0 ? "" : " in ", waiting->call,
                          names[waiting->wait], (size_t)waiting->waits_at->address);
    if (owner != 0)
        length += snprintf(text + length, capacity - (size_t)length, " that thread %u has%s", owner - 1,
                           model.threads[owner - 1].is_alive ? "" : ", which is gone");
    return (size_t)length;
}

static _Noreturn void report_deadlock(void)
{
    char text[VERDICT_SENTENCE_MAX] = "";
    const char *site = "";
    size_t length = 0;
    for (unsigned i = 1; i < THREADS_MAX; i++) {
        if (!model.threads[i].is_alive)
            continue;
        if (length < sizeof text / 2)
            length += describe_wait(text + length, sizeof text - length, i);
        if (site[0] == 0)
            site = model.threads[i].call;
    }
    schedule_fail(CHECK_PROGRESS, site, "deadlock%s%s", model.is_in_child ? " in the child of fork" : "", text);
}

/* Nobody can go on but one whose wait ends by itself. */
static uint8_t end_timed_wait(void)
{
    for (unsigned i = 0; i < THREADS_MAX; i++) {
        struct thread *thread = &model.threads[i];
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
    count_step(what, self->waits_at, true, 0);
    uint8_t runnable = runnable_threads();
    if (runnable == 0)
        runnable = end_timed_wait();
    return choose(runnable, next_in_turn(runnable), __builtin_popcount(runnable) > 1, true);
}

bool schedule_wait(enum wait wait, struct place *place, bool is_timed)
{
    self->wait = wait;
    self->waits_at = place;
    self->is_timed = is_timed;
    self->is_timed_out = false;
    switch_to(choose_successor("waits"));
    return !self->is_timed_out;
}

unsigned schedule_wake(enum wait wait, const struct place *place, unsigned count)
{
    unsigned woken = 0;
    for (unsigned i = 0; i < THREADS_MAX && woken < count; i++) {
        struct thread *thread = &model.threads[i];
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
        if (model.threads[i].is_alive)
            return false;
    return true;
}

static void end_thread(void *argument)
{
    struct thread *thread = argument;
    if (++thread->rounds < PTHREAD_DESTRUCTOR_ITERATIONS) {
        (void)pthread_setspecific(model.last_act, thread);
        return;
    }
    thread->is_alive = false;
    clock_join(&model.threads[0].clock, &thread->clock);
    if (is_alone())
        model.threads[0].wait = WAIT_NOT;
    unsigned next = choose_successor("is over");
    self = NULL;
    give_token(next);
}

static void *run_thread(void *argument)
{
    struct thread *thread = argument;
    wait_for_token(thread);
    self = thread;
    (void)pthread_setspecific(model.last_act, thread);
    thread->body();
    return NULL;
}

static void start_thread(unsigned number, void (*body)(void))
{
    struct thread *thread = &model.threads[number];
    pthread_attr_t attributes;
    pthread_t handle;
    *thread =
        (struct thread){.body = body, .is_alive = true, .call = "", .clock = self->clock, .priority = 1000 + (uint32_t)(draw() % 1000)};
    thread->clock.of[number] = 1;
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, model.stacks[number], STACK_SIZE);
    if (pthread_create(&handle, &attributes, run_thread, thread) != 0)
        schedule_fail(CHECK_PROGRESS, "scheduler", "thread %u cannot be created", number);
}

void schedule_run(unsigned count, void (*const bodies[])(void))
{
    static struct place end = {.address = 1};
    for (unsigned i = 1; i <= count; i++)
        start_thread(i, bodies[i - 1]);
    self->clock.of[0]++;
    (void)schedule_wait(WAIT_THREADS, &end, false);
}

static void draw_change_points(void)
{
    struct record *record = model.record;
    uint32_t span = record->expected_branches == 0 ? 1 : record->expected_branches;
    model.random = record->seed;
    model.lowest = 1000;
    if (record->change_points > sizeof model.change_points / sizeof model.change_points[0])
        record->change_points = sizeof model.change_points / sizeof model.change_points[0];
    for (uint32_t i = 0; i < record->change_points; i++)
        model.change_points[i] = 1 + (uint32_t)(draw() % span);
}

void schedule_start(struct record *record)
{
    model.record = record;
    self = &model.threads[0];
    *self = (struct thread){.is_alive = true, .call = "", .clock.of[0] = 1};
    (void)pthread_key_create(&model.last_act, end_thread);
    draw_change_points();
}

_Noreturn void schedule_end(void)
{
    model.record->steps = model.steps;
    model.record->is_complete = true;
    _exit(0);
}

/* ---- fork ---- */

static int child_ends[2]; /* a pipe that nobody writes to: it ends when the child does */

/* Both run before the handlers of the code on trial, which are registered later: those take steps already. */
static void leave_others_behind(void)
{
    if (self == NULL)
        return;
    model.is_in_child = true;
    for (unsigned i = 0; i < THREADS_MAX; i++)
        model.threads[i].is_alive = &model.threads[i] == self;
}

static void let_child_run(void)
{
    char nothing;
    if (self == NULL)
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
        schedule_fail(CHECK_PROGRESS, "fork", "the child of fork cannot be waited for: errno %d", errno);
    if (model.record->has_verdict)
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
