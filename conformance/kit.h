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
#define EXPECT_FILLED(block, size, seed, call, ...)                                              \
    do {                                                                                         \
        size_t changed_ = find_change(block, size, seed);                                        \
        EXPECT(                                                                                  \
            changed_ == (size_t)(size),                                                          \
            call                                                                                 \
            ": expected the first %zu bytes as they were written, observed another at byte %zu", \
            ##__VA_ARGS__, (size_t)(size), changed_);                                            \
    } while (0)

/* After a call that must not change errno. */
#define EXPECT_UNTOUCHED(error, call, ...)                                                       \
    EXPECT((error) == UNTOUCHED, call ": expected errno kept at %d, observed %d", ##__VA_ARGS__, \
           UNTOUCHED, error)

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

/* "12 (ENOMEM)" and the like; good for two in one sentence. */
const char *name_error(int error);

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

/*
 * A call that allocates: a row of the table in kit_calls.c. `text` is the call in words, where
 * ALIGNMENT and SIZE stand for the arguments of `allocate`, which returns NULL and sets errno when
 * the call fails, also for posix_memalign.
 */
struct allocating_call {
    const char *text;
    void *(*allocate)(size_t alignment, size_t size);
    const volatile void *function; /* where the subject's function stands in `calls` */
    size_t least_alignment;        /* that it accepts; 0: it has no such argument */
    bool is_for_multiples;         /* of the alignment, as C17 asks of aligned_alloc */
    bool returns_error;            /* as its result, not in errno */
    bool is_glibc;                 /* unknown to C and POSIX */
};

extern const struct allocating_call by_malloc, by_calloc, by_realloc, by_reallocarray,
    by_aligned_alloc, by_posix_memalign, by_memalign, by_valloc, by_pvalloc;

/* The rows whose functions the subject has: the first one, and the next; NULL: no more. */
#define FOR_EACH_CALL(by) \
    for (const struct allocating_call *by = next_call(NULL); (by) != NULL; by = next_call(by))
const struct allocating_call *next_call(const struct allocating_call *by);

/* The call in words, until the next one. */
const char *name_call(const struct allocating_call *by, size_t alignment, size_t size);

/* Where any alignment will do: 16, and for aligned_alloc the next multiple of it as the size. */
void *take_from(const struct allocating_call *by, size_t size);
const char *name_taking(const struct allocating_call *by, size_t size);

/* Ends the probe unless the condition holds: as a failure, or as weak if only glibc's profile knows
 * the call. */
#define EXPECT_FROM(by, condition, ...)                                    \
    do {                                                                   \
        if (!(condition))                                                  \
            return (by)->is_glibc ? WEAK(__VA_ARGS__) : FAIL(__VA_ARGS__); \
    } while (0)

/* Takes blocks, each of which must be a multiple of the alignment, fills them, looks at every byte
 * once all are filled, and frees them: blocks that overlap spoil each other's bytes. Several at a
 * time also because one alone may be aligned by chance. Blocks of no bytes may be NULL. */
enum probe_outcome hold_blocks(const struct allocating_call *by, size_t alignment, size_t size,
                               size_t count);

/* The same with any alignment. A block beyond 1 MiB is held alone, and written and read only at its
 * ends and in every 16 KiB. */
enum probe_outcome use_blocks(const struct allocating_call *by, size_t size, size_t count);

/* A call that releases a block, with all that is known of it. */
struct releasing_call {
    const char *name;
    void (*release)(void *block, size_t alignment, size_t size);
};

extern const struct releasing_call by_free;

/* Allocates a block, writes to every page of it and releases it, again and again: after the first
 * eighth of the rounds, resident memory must grow by less than `growth`. */
enum probe_outcome reuse_block(const struct allocating_call *by, size_t alignment, size_t size,
                               const struct releasing_call *end, size_t rounds, size_t growth);

/* Takes blocks of 16 MiB, 64 GiB at most, with so much address space left until a call fails.
 * False: none did, for the subject had more in reserve, or the limit was refused. */
bool exhaust(const struct allocating_call *by, size_t alignment, size_t room, int *ret_error);

/* Has the error judged after a request for each huge size, and after blocks of 16 MiB have used up
 * an address space with `room` bytes left. */
enum probe_outcome judge_failures(const struct allocating_call *by, size_t alignment, size_t room,
                                  enum probe_outcome (*judge)(const struct allocating_call *by,
                                                              const char *call, int error));

/* Judges the error that a call left: `wanted` passes. */
enum probe_outcome judge_error(const struct allocating_call *by, const char *call, int error,
                               int wanted);

/* ENOMEM passes; EAGAIN, a temporary shortage, is weak. */
enum probe_outcome judge_enomem(const struct allocating_call *by, const char *call, int error);

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
