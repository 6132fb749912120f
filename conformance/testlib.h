/* SPDX-License-Identifier: MIT */
/*
 * What probes share. Like the probes, this is also the text of exported programs, so that the rules
 * of probe.h apply. Sizes are in bytes.
 */
#ifndef CONFORMANCE_TESTLIB_H
#define CONFORMANCE_TESTLIB_H

#include "conformance/probe.h"
#include "harness/base/clock.h"
#include "harness/base/memory.h"
#include "harness/base/trend.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The errno before a call: no libc uses this value. */
#define UNTOUCHED 7777

/* Runs a statement with errno UNTOUCHED, and declares `error`, what errno is afterwards:
 *     CATCH_ERRNO(error, void *block = malloc(size)); */
#define CATCH_ERRNO(error, ...) \
    errno = UNTOUCHED;          \
    __VA_ARGS__;                \
    int error = errno

/*
 * The expectations below end the probe, as EXPECT does. Each takes the call in words, a printf
 * format with its arguments, which begins the sentence:
 *     EXPECT_BLOCK(block, "calloc(%zu, %zu)", count, size);
 */

/* Directly after the call, as the sentence names errno. */
#define EXPECT_BLOCK(block, call, ...)                                                             \
    EXPECT((block) != NULL, call ": expected a block, observed NULL with errno %d", ##__VA_ARGS__, \
           errno)

#define EXPECT_NULL(block, call, ...) \
    EXPECT((block) == NULL, call ": expected NULL, observed %p", ##__VA_ARGS__, (void *)(block))

#define EXPECT_ALIGNED(block, alignment, call, ...)                                        \
    EXPECT(is_aligned(block, alignment), call ": expected a multiple of %zu, observed %p", \
           ##__VA_ARGS__, (size_t)(alignment), (void *)(block))

/* The bytes that fill(block, size, seed) wrote. */
#define EXPECT_FILLED(block, size, seed, call, ...)                                                \
    do {                                                                                           \
        size_t changed_ = find_change(block, size, seed);                                          \
        EXPECT(                                                                                    \
            changed_ == (size_t)(size),                                                            \
            call                                                                                   \
            ": expected the first %zu bytes as they were written, observed that byte %zu changed", \
            ##__VA_ARGS__, (size_t)(size), changed_);                                              \
    } while (0)

/* After a call that must not change errno. */
#define EXPECT_UNTOUCHED(error, call, ...)                                                  \
    EXPECT((error) == UNTOUCHED, call ": expected errno left as it was, observed errno %s", \
           ##__VA_ARGS__, name_error(error))

/* What errno was after a call that failed. */
#define EXPECT_ERRNO(error, wanted, call, ...)                                                     \
    EXPECT((error) == (wanted), call ": expected NULL with errno %s, observed NULL with errno %s", \
           ##__VA_ARGS__, name_error(wanted), name_error(error))

/* Makes a call, which is to return NULL with this errno. */
#define EXPECT_FAILURE(failing_call, wanted, call, ...)                                        \
    do {                                                                                       \
        CATCH_ERRNO(error_, void *block_ = failing_call);                                      \
        EXPECT(block_ == NULL && error_ == (wanted),                                           \
               call ": expected NULL with errno %s, observed %s with errno %s", ##__VA_ARGS__, \
               name_error(wanted), null_or_block(block_), name_error(error_));                 \
    } while (0)

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define KIB ((size_t)1 << 10)

#define MIB ((size_t)1 << 20)

#define GIB ((size_t)1 << 30)

/* Fills a block with bytes that depend on their position and on `seed`; finds the first byte that
 * differs from them, and returns `size` if none does. */
void fill(void *block, size_t size, unsigned seed);
size_t find_change(const void *block, size_t size, unsigned seed);

/* Returns the index of the first byte that is not zero, or `size`. */
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

/* "12 (ENOMEM)" and the like, "left as it was" for UNTOUCHED; two are valid at a time. */
const char *name_error(int error);

/* Lowers RLIMIT_AS to what is mapped now plus `room`; false if the system refuses. */
bool limit_memory(size_t room);

/* Runs a function in a forked child; returns as wait_for_child with CHILD_CPU_S. */
#define CHILD_CPU_S 3
int run_in_child(int (*function)(void));

/* After a misuse that returned: uses the heap for a while, so that the damage may be noticed, and
 * returns OUTCOME_SILENT. */
enum probe_outcome survived(void);

/*
 * A call that allocates: a row of the table in testlib_calls.c. `text` is the call as a printf
 * format: %1$zu is the size, %2$zu the alignment. When the call fails, `allocate` returns NULL and
 * errno has the error, for posix_memalign too.
 */
struct allocating_call {
    const char *text;
    void *(*allocate)(size_t alignment, size_t size);
    const volatile void *function; /* address of the pointer to the function in `calls` */
    size_t least_alignment;        /* smallest valid alignment; 0: no such argument */
    bool is_for_multiples;         /* C17 wants the size to be a multiple of the alignment */
    bool returns_error;            /* the result is the error, errno is not */
    bool is_glibc;                 /* neither in C nor in POSIX: only the profile glibc has it */
};

extern const struct allocating_call by_malloc, by_calloc, by_realloc, by_reallocarray,
    by_aligned_alloc, by_posix_memalign, by_memalign, by_valloc, by_pvalloc;

/* Whether the subject has the function of the row. */
bool has_call(const struct allocating_call *by);

/* Walks the rows whose functions the subject has. next_call(NULL) is the first one; NULL ends. */
#define FOR_EACH_CALL(by) \
    for (const struct allocating_call *by = next_call(NULL); (by) != NULL; by = next_call(by))
const struct allocating_call *next_call(const struct allocating_call *by);

/* The call with its arguments, for sentences; valid until the next call of this function. */
const char *name_call(const struct allocating_call *by, size_t alignment, size_t size);
/* Up to 4096 always; above it is the implementation's choice, so the call is tried. */
bool supports_alignment(const struct allocating_call *by, size_t alignment);

/* For probes in which the alignment does not matter: takes 16, and rounds the size for
 * aligned_alloc up to a multiple of it. */
void *take_from(const struct allocating_call *by, size_t size);
const char *name_taking(const struct allocating_call *by, size_t size);

/* Ends the probe unless the condition holds: as a failure, or as weak if only the profile glibc has
 * the call. */
#define EXPECT_FROM(by, condition, ...)                                    \
    do {                                                                   \
        if (!(condition))                                                  \
            return (by)->is_glibc ? WEAK(__VA_ARGS__) : FAIL(__VA_ARGS__); \
    } while (0)

/* Allocates `count` blocks (64 at most), expects each to be a multiple of the alignment, fills all
 * of them, expects every byte as it was written, and frees them. Blocks that overlap overwrite each
 * other, and a single block may be aligned by chance. Blocks of zero bytes may be NULL. */
enum probe_outcome hold_blocks(const struct allocating_call *by, size_t alignment, size_t size,
                               size_t count);

/* The same for probes in which the alignment does not matter. A block beyond 1 MiB is held alone,
 * and only its ends and one byte in every 16 KiB are written and read. */
enum probe_outcome use_blocks(const struct allocating_call *by, size_t size, size_t count);

/* A call that releases a block. */
struct releasing_call {
    const char *name;
    void (*release)(void *block, size_t alignment, size_t size);
};

extern const struct releasing_call by_free;

/* Work that gives back what it takes. */
struct cycle {
    enum probe_outcome (*run)(void *context);
    void *context;
    size_t bytes, frees; /* in one cycle: live at most, all of which is freed; blocks freed */
};

/* Repeats the cycle until resident memory clearly goes on growing, or clearly does not (trend.h).
 * Stores by how much it grew; 0: it does not go on. Ends with what a cycle returns but PASS. */
enum probe_outcome watch_growth(const struct cycle *cycle, size_t *ret_growth);

/* Allocates a block, writes to each of its pages and releases it, again and again: resident memory
 * must not go on growing. */
enum probe_outcome reuse_block(const struct allocating_call *by, size_t alignment, size_t size,
                               const struct releasing_call *end);

/* Limits the address space to `room` more bytes and allocates blocks of 16 MiB until a call fails.
 * False if the limit is refused, or if no call fails for 64 GiB, which the subject had reserved. */
bool exhaust(const struct allocating_call *by, size_t alignment, size_t room, int *ret_error);

/* Makes the call fail with each huge size, and by exhaust(); passes every error to `judge`. */
enum probe_outcome judge_failures(const struct allocating_call *by, size_t alignment, size_t room,
                                  enum probe_outcome (*judge)(const struct allocating_call *by,
                                                              const char *call, int error));

/* Passes if the call failed with the error `wanted`. */
enum probe_outcome judge_error(const struct allocating_call *by, const char *call, int error,
                               int wanted);

/* Passes for ENOMEM; EAGAIN, a temporary shortage, is weak. */
enum probe_outcome judge_enomem(const struct allocating_call *by, const char *call, int error);

/* The wait status of a child. -1: it was killed because it slept for a long time without using the
 * processor, as in a deadlock, or because it used more than `cpu_s` seconds of it; 0: no limit. */
int wait_for_child(pid_t child, unsigned cpu_s);

/* A wait status in words: "exit with status 1", "death by signal 11 (Segmentation fault)", "a
 * deadlock or an endless loop". Valid until the next call. */
const char *name_end(int status);

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

/* Whether the malloc of this process is that of the C library and not a replacement. For probes
 * that run with the subject preloaded. */
bool is_libc_malloc(void);

/* Runs this program again with the same arguments and PROBE_STAGE=`stage` in its environment. The
 * same probe starts, reads the stage with probe_stage(), which is "" in the first run, and answers
 * by its exit status. `changes` ends with NULL: "NAME=value" sets a variable, "NAME" removes it.
 * Returns the wait status, or -1. */
const char *probe_stage(void);
int run_again(const char *stage, const char *const changes[]);

/* Compiles C text for the C library that this program was compiled for; `options` ends with NULL.
 * Returns 0 if the compiler accepts it, 1 if not, -1 if there is no such compiler on PATH. */
int compile(const char *text, const char *const options[]);

/* Runs a function that returns an outcome in a forked child. If the child dies or hangs, `what`
 * failed. */
enum probe_outcome ask_in_child(enum probe_outcome (*question)(void), const char *what);

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
    /* OUTCOME_DETECTED, OUTCOME_LATE, OUTCOME_SILENT, or OUTCOME_UNSUPPORTED */
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
