/* SPDX-License-Identifier: MIT */
/* What the files of the scheduler share: schedule.c (the token and the choice), schedule_threads.c
 * (waiting, threads, fork). */
#ifndef INTERLEAVE_SCHEDULE_INTERNAL_H
#define INTERLEAVE_SCHEDULE_INTERNAL_H

#include "schedule.h"

#include "harness/base/random.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    STACK_SIZE = 256 * 1024,
    /* after this many steps that saw the same value, a step is no longer a branch */
    SAME_MAX = 2,
    SEEN_MAX = 4,           /* steps that are remembered for it */
    IDLE_MAX = 200,         /* that many steps that changed nothing: let others go on */
    ACCESSES_MAX = 30000000 /* plain ones without a step between */
};

struct thread {
    void (*body)(void);
    _Atomic(uint32_t) token; /* a futex: 1 when it may run */
    /* started and not over; in the child of a fork: the forking thread alone */
    bool is_alive;
    enum wait wait;
    const struct place *waits_at;
    bool is_timed, is_timed_out;
    bool has_yielded; /* since it got the token */
    struct clock clock;
    const char *call; /* of the subject; "" outside */
    struct {
        const struct place *place;
        uint64_t value;
        bool is_write;
    } seen[SEEN_MAX]; /* since it got the token, or changed anything */
    unsigned seen_count, same, idle;
    bool is_write; /* what it is about to do, or did last */
    uint32_t priority, rounds;
};

struct model {
    struct record *record;
    struct thread threads[THREADS_MAX];
    uint32_t steps, next_decision, branches, accesses;
    uint32_t change_points[THREADS_MAX * 4];
    struct random random;
    uint32_t lowest;
    /* bit per thread: it yielded without having changed anything, and nothing has changed since */
    uint8_t spinning;
    bool is_in_child;
    pthread_key_t last_act;
    char stacks[THREADS_MAX][STACK_SIZE] __attribute__((aligned(4096)));
};
extern struct model schedule_model;

extern __thread struct thread *schedule_thread; /* NULL: not one of those, or over */

void schedule_wait_for_token(struct thread *thread);
void schedule_give_token(unsigned next);
void schedule_switch_to(unsigned next);
uint8_t schedule_runnable_threads(void);
/* The next one in turn after the running thread; itself if there is no other. */
unsigned schedule_next_in_turn(uint8_t runnable);
uint64_t schedule_draw(void);
void schedule_count_step(const char *what, const struct place *place, bool is_shared,
                         uintptr_t code);
/* Who has the token next, and a note of that for the explorer. */
unsigned schedule_choose(uint8_t runnable, unsigned fallback, bool is_branch, bool is_free);

#endif
