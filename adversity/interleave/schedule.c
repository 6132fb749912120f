/* SPDX-License-Identifier: MIT */
/*
 * The token, and the choice at every step.
 *
 *   point ──→ a step ──→ who is next? ── the running thread ──→ it goes on
 *                                     └─ another ──→ it gets the token, the running thread
 *                                                     waits for it to come back
 *
 * Steps are numbered, so that a schedule means the same in every process. A step is a branch if
 * another thread could go on, the place is shared, and the thread is not just seeing the same value
 * again; the explorers try the alternatives of branches only.
 */
#include "schedule_internal.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

struct model schedule_model;
__thread struct thread *schedule_thread;

/* ---- who and when ---- */

bool schedule_is_on(void)
{
    return schedule_thread != NULL;
}

unsigned schedule_self(void)
{
    return (unsigned)(schedule_thread - schedule_model.threads);
}

struct clock *schedule_clock(void)
{
    return &schedule_thread->clock;
}

void schedule_enter_call(const char *name)
{
    schedule_thread->call = name;
}

void schedule_name_codes(uintptr_t code, uintptr_t other)
{
    schedule_model.record->codes[0] = code;
    schedule_model.record->codes[1] = other;
}

_Noreturn void schedule_fail(enum check check, const char *site, const char *format, ...)
{
    struct verdict *verdict = &schedule_model.record->verdict;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(verdict->sentence, sizeof verdict->sentence, format, arguments);
    va_end(arguments);
    snprintf(verdict->site, sizeof verdict->site, "%s",
             site[0] != 0 ? site : schedule_thread->call);
    verdict->check = check;
    verdict->op = schedule_model.steps;
    schedule_model.record->has_verdict = true;
    if (!schedule_model.is_in_child)
        schedule_model.record->steps = schedule_model.steps;
    _exit(1);
}

void schedule_count_access(void)
{
    if (++schedule_model.accesses > ACCESSES_MAX)
        schedule_fail(CHECK_PROGRESS, "", "thread %u makes %d plain accesses and no step: it loops",
                      schedule_self(), ACCESSES_MAX);
}

/* ---- the token ---- */

void schedule_wait_for_token(struct thread *thread)
{
    while (atomic_exchange(&thread->token, 0) == 0)
        (void)syscall(SYS_futex, &thread->token, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

void schedule_give_token(unsigned next)
{
    struct thread *thread = &schedule_model.threads[next];
    schedule_model.record->current = next;
    schedule_model.spinning &= (uint8_t)~(1u << next);
    thread->seen_count = thread->same = thread->idle = 0;
    thread->has_yielded = false;
    atomic_store(&thread->token, 1);
    (void)syscall(SYS_futex, &thread->token, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void schedule_switch_to(unsigned next)
{
    if (next == schedule_self())
        return;
    int saved = errno;
    schedule_give_token(next);
    schedule_wait_for_token(schedule_thread);
    errno = saved;
}

/* ---- the choice ---- */

/* A thread that spins comes last until something changes, so that every schedule runs the thread
 * that it waits for. */
uint8_t schedule_runnable_threads(void)
{
    unsigned mask = 0;
    for (unsigned i = 0; i < THREADS_MAX; i++)
        mask |= (unsigned)(schedule_model.threads[i].is_alive &&
                           schedule_model.threads[i].wait == WAIT_NOT)
                << i;
    return (uint8_t)((mask & ~schedule_model.spinning) != 0 ? mask & ~schedule_model.spinning
                                                            : mask);
}

static void note_spinning(void)
{
    schedule_model.spinning |= (uint8_t)(1u << schedule_self());
}

unsigned schedule_next_in_turn(uint8_t runnable)
{
    unsigned next = schedule_self();
    do
        next = (next + 1) % THREADS_MAX;
    while (!(runnable >> next & 1));
    return next;
}

uint64_t schedule_draw(void)
{
    return random_next(&schedule_model.random);
}

static unsigned highest_priority(uint8_t runnable)
{
    unsigned best = THREADS_MAX;
    for (unsigned i = 0; i < THREADS_MAX; i++)
        if (runnable >> i & 1 && (best == THREADS_MAX || schedule_model.threads[i].priority >
                                                             schedule_model.threads[best].priority))
            best = i;
    return best;
}

static bool is_change_point(void)
{
    for (uint32_t i = 0; i < schedule_model.record->change_points; i++)
        if (schedule_model.change_points[i] == schedule_model.branches)
            return true;
    return false;
}

static unsigned choose_by_priority(uint8_t runnable, bool must_leave)
{
    if (must_leave || is_change_point())
        schedule_thread->priority = --schedule_model.lowest;
    return highest_priority(runnable);
}

static unsigned choose_by_schedule(uint8_t runnable, unsigned fallback)
{
    const struct schedule *follow = &schedule_model.record->follow;
    uint32_t next = schedule_model.next_decision;
    if (next == follow->count || follow->decisions[next].step != schedule_model.steps)
        return fallback;
    schedule_model.next_decision++;
    unsigned thread = follow->decisions[next].thread;
    return thread < THREADS_MAX && runnable >> thread & 1 ? thread : fallback;
}

static void note_choice(uint8_t runnable, unsigned fallback, unsigned chosen, bool is_branch,
                        bool is_free)
{
    struct record *record = schedule_model.record;
    if (is_branch && record->branch_count < BRANCHES_MAX)
        record->branches[record->branch_count++] = (struct branch){
            schedule_model.steps, runnable, (uint8_t)fallback, (uint8_t)chosen, is_free};
    if (chosen != fallback && record->taken.count < DECISIONS_MAX)
        record->taken.decisions[record->taken.count++] =
            (struct decision){schedule_model.steps, chosen};
    record->preemptions += !is_free && chosen != schedule_self();
}

unsigned schedule_choose(uint8_t runnable, unsigned fallback, bool is_branch, bool is_free)
{
    unsigned chosen;
    schedule_model.branches += is_branch;
    if (schedule_model.record->strategy == PRIORITIES)
        chosen = is_branch || is_free ? choose_by_priority(runnable, fallback != schedule_self())
                                      : fallback;
    else
        chosen = choose_by_schedule(runnable, fallback);
    note_choice(runnable, fallback, chosen, is_branch, is_free);
    return chosen;
}

void schedule_count_step(const char *what, const struct place *place, bool is_shared,
                         uintptr_t code)
{
    struct record *record = schedule_model.record;
    schedule_model.accesses = 0;
    if (++schedule_model.steps > STEPS_MAX)
        schedule_fail(CHECK_PROGRESS, "",
                      "no end after %d steps: the threads wait for each other without sleeping",
                      (int)STEPS_MAX);
    if (record->wants_events && record->event_count < EVENTS_MAX)
        record->events[record->event_count++] = (struct event){schedule_model.steps,
                                                               (uint8_t)schedule_self(),
                                                               is_shared,
                                                               schedule_model.is_in_child,
                                                               what,
                                                               place == NULL ? 0 : place->address,
                                                               code};
}

/* True if this repeats an earlier step of the same kind at that place and no other thread has done
 * anything since: a switch here is equivalent to one before the first of them. */
static bool is_repetition(const struct place *place, bool is_write)
{
    const struct thread *thread = schedule_thread;
    for (unsigned i = 0; thread->same >= SAME_MAX && i < SEEN_MAX && i < thread->seen_count; i++)
        if (thread->seen[i].place == place && thread->seen[i].is_write == is_write)
            return true;
    return false;
}

void schedule_point(const char *what, struct place *place, bool is_write, uintptr_t code)
{
    bool is_shared = place_use(place, is_write, schedule_model.record);
    schedule_count_step(what, place, is_shared, code);
    bool must_leave = ++schedule_thread->idle > IDLE_MAX;
    if (must_leave)
        note_spinning();
    uint8_t runnable = schedule_runnable_threads();
    bool has_others = __builtin_popcount(runnable) > 1;
    unsigned fallback = must_leave ? schedule_next_in_turn(runnable) : schedule_self();
    bool is_branch = has_others && !must_leave && is_shared && !is_repetition(place, is_write);
    schedule_thread->is_write = is_write;
    schedule_switch_to(schedule_choose(runnable, fallback, is_branch, must_leave));
}

static bool has_seen(const struct place *place, uint64_t value)
{
    struct thread *thread = schedule_thread;
    for (unsigned i = 0; i < SEEN_MAX && i < thread->seen_count; i++)
        if (thread->seen[i].place == place && thread->seen[i].value == value &&
            thread->seen[i].is_write == thread->is_write)
            return true;
    unsigned next = thread->seen_count++ % SEEN_MAX;
    thread->seen[next].place = place;
    thread->seen[next].value = value;
    thread->seen[next].is_write = thread->is_write;
    return false;
}

void schedule_saw(const struct place *place, uint64_t value, bool has_changed)
{
    if (has_changed) {
        schedule_model.spinning = 0;
        schedule_thread->seen_count = schedule_thread->idle = 0;
    }
    schedule_thread->same = !has_changed && has_seen(place, value) ? schedule_thread->same + 1 : 0;
}

void schedule_yield(const char *what, uintptr_t code)
{
    schedule_count_step(what, NULL, true, code);
    uint8_t runnable = schedule_runnable_threads();
    bool is_branch = __builtin_popcount(runnable) > 1 && !schedule_thread->has_yielded;
    schedule_thread->has_yielded = true;
    unsigned next = schedule_choose(runnable, schedule_self(), is_branch, true);
    if (next != schedule_self())
        note_spinning();
    schedule_switch_to(next);
}
