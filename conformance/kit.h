/* SPDX-License-Identifier: MIT */
/*
 * Small tools that probes share; like the probes, text that is cut into programs (see probe.h for
 * the rules). Sizes are in bytes.
 */
#ifndef CONFORMANCE_KIT_H
#define CONFORMANCE_KIT_H

#include "conformance/probe.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The errno before every call: no libc uses it. Set it immediately before, look at it immediately
 * after. */
#define UNTOUCHED 7777

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define KIB ((size_t)1 << 10)

#define MIB ((size_t)1 << 20)

#define GIB ((size_t)1 << 30)

/* Fills a block with bytes that depend on their position and on `seed`; finds the first byte that
 * is not so (size: none). */
void fill(void *block, size_t size, unsigned seed);
size_t find_change(const void *block, size_t size, unsigned seed);

/* The first byte that is not zero (size: none). */
size_t find_nonzero(const void *block, size_t size);

bool is_aligned(const void *block, size_t alignment);

/* Sizes to try: 0 to 1024, and 2^k, 2^k ± 1 up to 64 MiB. Walk them by `for (size_t n = 0; n <=
 * SIZE_LAST; n = next_size(n))`. */
#define SIZE_LAST (64 * MIB + 1)
size_t next_size(size_t size);

/* Sizes that no allocator can satisfy: PTRDIFF_MAX + 1, SIZE_MAX / 2 + 1, and the last 4097 before
 * the end of the address space. Walk them by `for (size_t i = 0; i < HUGE_COUNT; i++)`. */
#define HUGE_COUNT 4099
size_t huge_size(size_t i);

/* Pairs of factors whose product wraps, mostly to something small; pair i, factor 0 or 1. */
#define WRAPS 8
size_t wrapping_factor(size_t i, size_t factor);

/* A repeatable stream of numbers. */
uint32_t next_random(uint32_t *state);

/* "NULL" or "a block", for sentences. */
const char *null_or_block(const void *block);

/* Lowers RLIMIT_AS to what is mapped now and `room` more; false if the system refuses. */
bool limit_memory(size_t room);

/* Bytes of address space and of resident memory that this process has now, from /proc/self/statm; 0
 * if that is not there. */
size_t mapped_bytes(void);
size_t resident_bytes(void);

/* Runs a function in a forked child with an alarm after `seconds`; returns the wait status. */
int run_in_child(int (*function)(void), unsigned seconds);

/* After a misuse that returned: uses the heap for a while, in which the damage may still be
 * noticed, then gives up: silent. */
enum probe_outcome survived(void);

/* The functions that give a block, by number: malloc, calloc(1, size), realloc(NULL, size),
 * reallocarray(NULL, size, 1), aligned_alloc(16, size), posix_memalign(&p, 16, size); and from
 * GIVER_GLIBC on, unknown to C and POSIX, memalign(16, size), valloc, pvalloc. Failure sets errno,
 * also that of posix_memalign. aligned_alloc is asked for a multiple of 16. */
#define GIVERS      9
#define GIVER_GLIBC 6
bool has_giver(size_t giver);
void *take_from(size_t giver, size_t size);

/* The call in words, until the next one. */
const char *name_taking(size_t giver, size_t size);

/* Ends the probe unless the condition holds: as a failure, or as weak if only glibc's profile knows
 * the giver. */
#define EXPECT_FROM(giver, condition, ...)                                        \
    do {                                                                          \
        if (!(condition))                                                         \
            return (giver) < GIVER_GLIBC ? FAIL(__VA_ARGS__) : WEAK(__VA_ARGS__); \
    } while (0)

/* Takes blocks of 16 MiB, 64 GiB at most, under a limit of 256 MiB of address space until a call
 * fails. False: none did, for the subject had more in reserve, or the limit was refused. */
bool exhaust(size_t giver, int *ret_errno);

/* The wait status of a child, which is killed when it has not ended after `seconds`: then -1. */
int wait_for_child(pid_t child, unsigned seconds);

/* The blocks of one thread. churn() takes steps that allocate, resize and release them at random
 * and checks every byte; it stops at the first thing wrong, which it names, and then returns false.
 * Start with zeros but for `random`, any number but 0. */
#define CHURN_BLOCKS 48
struct churn {
    uint32_t random;
    void *block[CHURN_BLOCKS];
    size_t size[CHURN_BLOCKS];
    char wrong[160];
};
bool churn(struct churn *churn, size_t steps);

/* Checks and releases what is left; false as above. */
bool churn_end(struct churn *churn);

/* The malloc of this process is the C library's own, not a replacement. For probes that run with
 * the subject preloaded. */
bool is_libc_malloc(void);

/* Runs this program once more, with the same arguments and PROBE_STAGE=`stage` in its environment,
 * so that the same probe starts again and sees the stage by probe_stage(), "" in the first run. It
 * answers by its exit status. `changes` ends with NULL: "NAME=value" sets a variable, "NAME"
 * removes it. Returns the wait status, or -1. */
const char *probe_stage(void);
int run_again(const char *stage, const char *const changes[]);

/* Feeds C text to the compiler for the C library that this program was compiled for; `options` ends
 * with NULL. Returns 0 if it is accepted, 1 if not, -1 without such a compiler on PATH. */
int compile(const char *text, const char *const options[]);

/* Runs a function that returns an outcome in a forked child; when the child dies, or does not end
 * in so many seconds, `what` failed. */
enum probe_outcome ask_in_child(enum probe_outcome (*question)(void), unsigned seconds,
                                const char *what);

/*
 * Undefined use in several ways, each in a child that inherits what the probe has prepared and uses
 * the heap for a while afterwards:
 *
 *     CASE("free(p + 16)", free(block + 16)); CASE("free(p + 64)", free(block + 64)); return
 *     worst_case();
 *
 * A statement that sees its call refused, by NULL or by 0, says so by case_refused(). last_case
 * tells of the last one.
 */
#define CASE(call, ...)          \
    do {                         \
        if (case_begins(call)) { \
            __VA_ARGS__;         \
            case_ends();         \
        }                        \
    } while (0)
#define REFUSED 77
struct case_end {
    /* OUTCOME_DETECTED, OUTCOME_LATE, OUTCOME_SILENT, or OUTCOME_ERROR */
    enum probe_outcome outcome;
    int status;        /* as from waitpid */
    bool has_returned; /* the misuse has */
    char said[100];    /* the first line of standard error */
};
extern struct case_end last_case;
bool case_begins(const char *call);
_Noreturn void case_ends(void);
_Noreturn void case_refused(void);
enum probe_outcome worst_case(void);

#endif
