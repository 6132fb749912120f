/* SPDX-License-Identifier: MIT */
/*
 * The scheduler inside one execution. The threads are real ones, but only the one that holds the
 * token runs; at every step it may have to pass it on. The record (record.h) decides who is
 * next: by a schedule, or by random priorities.
 *
 * Everything here is called by the thread that holds the token, so nothing is locked. Between
 * executions, and in threads that the scheduler does not know, schedule_is_on() is false and the
 * entry points pass everything through.
 */
#ifndef INTERLEAVE_SCHEDULE_H
#define INTERLEAVE_SCHEDULE_H

#include "clock.h"
#include "record.h"

#include <stdarg.h>
#include <stddef.h>

/* One atomic word, lock, condition or mailbox: an object that several threads use. */
struct place {
    uintptr_t address;
    struct clock released;    /* what its last release made known */
    uint8_t readers, writers; /* bit per thread, while several run; writers are readers */
    uint8_t owner;            /* of a lock: 1 + thread; 0: nobody */
    uint32_t depth;           /* of a recursive lock */
};
struct place *place_of(const volatile void *address);
/* The running thread uses it. Returns whether several threads use it, now or in an earlier
 * execution. */
bool place_use(struct place *place, bool is_write, struct record *record);

enum wait { WAIT_NOT, WAIT_LOCK, WAIT_FUTEX, WAIT_CONDITION, WAIT_MAIL, WAIT_ONCE, WAIT_THREADS };

/* Starts an execution in this process, as thread 0. */
void schedule_start(struct record *record);
/* Ends it: all is well. */
_Noreturn void schedule_end(void);
/* Runs the bodies as threads 1 to count, until all have returned and their destructors are done. */
void schedule_run(unsigned count, void (*const bodies[])(void));
/* fork, as the running thread. The child runs `body` and nothing else; its parent waits for it. */
void schedule_fork(void (*body)(void));

bool schedule_is_on(void);
unsigned schedule_self(void);
struct clock *schedule_clock(void);

/* The running thread is about to do `what` there. Returns when it is its turn. */
void schedule_point(const char *what, struct place *place, bool is_write, uintptr_t code);
/* It would let others go first. */
void schedule_yield(const char *what, uintptr_t code);
/* Reports that step: the value seen, and whether it was changed. A thread that sees the same value
 * again and again is spinning. */
void schedule_saw(const struct place *place, uint64_t value, bool has_changed);
/* Waits until it is woken there. False: a timed wait that ended because nobody else can run. */
bool schedule_wait(enum wait wait, struct place *place, bool is_timed);
/* Wakes the first `count` that wait there. Returns how many. */
unsigned schedule_wake(enum wait wait, const struct place *place, unsigned count);
/* A plain access: nothing is scheduled, but a loop without any point is noticed. */
void schedule_count_access(void);

/* Ends the execution with a verdict. Where: what schedule_name_codes said, or the current function
 * of the subject. */
_Noreturn void schedule_fail(enum check check, const char *site, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void schedule_name_codes(uintptr_t code, uintptr_t other);
/* The call of the subject that the running thread is in; a literal. */
void schedule_enter_call(const char *name);

#endif
