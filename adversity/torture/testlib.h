/* SPDX-License-Identifier: MIT */
/*
 * The small tools that scenarios are written with, and with them the text of exported programs:
 * this header, testlib*.c and a scenario's files make a C program when they are put one behind the
 * other. So nothing here knows mallet.
 *
 *   worker   a thread of the scenario: a number, its own random numbers, a counter of calls that an
 *            onlooker can read
 *   block    what a call returned, filled with words that name its maker and the position: whoever
 *            gets it next checks every byte
 *   box      where one thread leaves a block for another
 *   pacer    a thread that interrupts workers at random instants, and says when the time is over
 *
 * While the scenario runs nothing here allocates and nothing prints: what goes wrong is written
 * into shared memory and the process ends.
 */
#ifndef TORTURE_TESTLIB_H
#define TORTURE_TESTLIB_H

#include "harness/base/random.h"
#include "harness/subject/subject_calls.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The functions on trial: NULL where the subject has none. */
extern struct subject_calls calls;

/* Which call a thread is in. */
enum torture_call {
    IN_NONE,
#define CALL(name, result, parameters) IN_##name,
    SUBJECT_CALLS(CALL)
#undef CALL
        IN_COUNT
};
/* "none" for what is none of them. */
static inline const char *torture_call_name(unsigned call)
{
    static const char *const names[] = {"none",
#define CALL(name, result, parameters) #name,
                                        SUBJECT_CALLS(CALL)
#undef CALL
    };
    return names[call < IN_COUNT ? call : IN_NONE];
}

enum { WORKERS_MAX = 32, STATUS_FOUND = 77, OVERLAP_NAME_MAX = 64 };

/* What an onlooker sees; it lives in shared memory, so that children of a fork write to the
 * same. */
struct torture_report {
    _Atomic uint32_t is_claimed; /* by the first thread that found something */
    _Atomic uint32_t is_told;    /* check, call, sentence are whole */
    _Atomic uint32_t is_over;    /* the scenario has come to its end */
    _Atomic uint32_t is_served;  /* some request was not refused */
    uint32_t worker;             /* that found it */
    char check[16], call[24], sentence[256];
    /* the two calls that overlapped on the memory that is wrong: "free of 40 bytes in thread 3";
     * "": not known */
    char overlap[2][OVERLAP_NAME_MAX];
    char doing[128]; /* what the scenario is at; "": nothing to say */
    _Atomic uint64_t forks, lives, interruptions;
    struct {
        _Atomic uint64_t calls;
        _Atomic uint32_t call; /* enum torture_call */
    } workers[WORKERS_MAX];
};

struct torture_options {
    unsigned workers; /* from 2 to WORKERS_MAX */
    unsigned milliseconds;
    uint64_t seed;
    bool on_one_processor;
    unsigned pace_us; /* a worker is interrupted about so often; 0: never */
    /* names of checks that are not asked (alignment, errno, usable, zeroed), and of functions that
     * are not called */
    const char *muted;
    bool is_small;    /* the subject can hold little: a request may be refused, but not all are */
    size_t alignment; /* of blocks that are large enough: 16, or 8 of a subject that says so */
};

struct worker {
    unsigned id;
    struct random random;
    uint32_t serial; /* of the last block it made */
    uint64_t made;   /* bytes, in all blocks */
    pthread_t thread;
    bool is_started;
    void (*body)(struct worker *worker);
    _Atomic int kernel_id; /* 0: not running */
};

struct block;
extern struct torture_report *torture_report;
extern struct torture_options torture_options;

/* Prepares the process; then the scenario runs; then torture_end. */
void torture_begin(struct torture_report *report, const struct torture_options *options);
void torture_end(void);

/* Whether workers shall come to an end. */
bool torture_is_over(void);
uint32_t torture_random(struct worker *worker, uint32_t below);
/* Reports the first failure of the process and ends it. */
_Noreturn void torture_fail(const struct worker *worker, const char *check, const char *call,
                            const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same of wrong bytes in memory: says which calls overlapped on it, if that is known. */
_Noreturn void torture_fail_on(const struct block *block, const struct worker *worker,
                               const char *check, const char *call, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* What the process is at, for whoever finds it stuck. */
void torture_doing(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether a check is not to be asked, so that a known failure does not hide what else there is. */
bool torture_is_muted(const char *name);

/* Starts workers first … first + count - 1, each of which runs body once; waits for them. Returns
 * how many run: all, unless a small subject has no memory for a thread. */
unsigned workers_start(unsigned first, unsigned count, void (*body)(struct worker *worker));
void workers_join(unsigned first, unsigned count);
/* The worker that stands for the thread that runs the scenario; its number is
 * torture_options.workers - 1, which is not to be started. */
struct worker *worker_main(void);
struct worker *worker_at(unsigned number);
unsigned workers_to_start(void);
/* Around every call of a function on trial. */
void call_begins(const struct worker *worker, enum torture_call call);
void call_ends(const struct worker *worker);

struct block {
    unsigned char *address; /* NULL: none */
    size_t size;
    uint32_t key; /* maker and serial number: what its bytes are made of */
};

/* Between call_begins and call_ends: the block that the call is given, and what it gave. */
void call_takes(const struct worker *worker, const struct block *block);
void call_gives(const struct worker *worker, const struct block *block);
/* The latest two calls that overlapped on this memory. False: none are known. */
bool overlap_find(const void *address, size_t size, char ret_names[2][OVERLAP_NAME_MAX]);
/* The block that the call which now runs was given. */
bool overlap_given(const struct worker *worker, struct block *ret_block);
/* For call_begins and call_ends. */
void overlap_begin(const struct worker *worker, enum torture_call call);
void overlap_end(const struct worker *worker);

/* Makes a block by one of the calls, of a random size up to `limit`; checks what it got; fills
 * it. No block, of size 0, if a small subject refuses; the rest of block_* does nothing with it. */
void block_make(struct worker *worker, struct block *ret_block, size_t limit);
/* Checks every byte. `when` completes "… found by thread 2": "before free". */
void block_check(struct worker *worker, const struct block *block, const char *when);
/* Checks, resizes, checks what was kept, fills anew. */
void block_resize(struct worker *worker, struct block *block, size_t size);
/* Checks and frees; free may not change errno. No block: nothing. */
void block_drop(struct worker *worker, struct block *block);
/* Asks malloc_usable_size, where there is one, and judges the answer. */
void block_ask_usable(struct worker *worker, const struct block *block);
size_t random_size(struct worker *worker, size_t limit);

/* Leaves a block in a box of the worker `to`; false: they are all full. */
bool box_put(struct worker *worker, unsigned to, const struct block *block);
/* false: there is none. */
bool box_take(struct worker *worker, unsigned of, struct block *ret_block);
/* Drops what is in all boxes. */
void boxes_drain(struct worker *worker);

/* Notes the resident memory at a moment when every block is freed; says whether it grows, and not
 * yet for long enough to call it a leak; judges whether it grows for ever. */
void footprint_note(void);
bool footprint_is_undecided(void);
void footprint_judge(const struct worker *worker);

#endif
