/* SPDX-License-Identifier: MIT */
/*
 * What a probe is: a plain C function that puts one question to the allocator under test and
 * returns an outcome. A probe reads as the C program that a person would write to show the defect,
 * because it becomes that program: `mallet conform` cuts its text out of the file, with the helpers
 * that it uses, and replaces this header by plain_c.h. So that this works, a probe
 *
 *   - calls the malloc family by its C names (here they reach the subject through volatile
 *     pointers, there through the program's own);
 *   - uses nothing but the C library, this header and testlib.h;
 *   - has a blank line between functions and other items at file level;
 *   - declares one object at a time at file level, so that what it does not use can be left out.
 *
 * A probe runs in a process of its own. It may leave blocks behind, change limits, start threads,
 * fork; a crash, an exit or a hang is a verdict that the parent reaches by itself, naming the last
 * call. Nothing here allocates.
 */
#ifndef CONFORMANCE_PROBE_H
#define CONFORMANCE_PROBE_H

#include "conformance/outcome.h"

#include "harness/job/job.h"

#include <errno.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Registers a probe and begins its function:
 *
 *     PROBE(aligned_alloc_takes_any_size, "C23-7.24.3.1-p2-d") {
 *         EXPECT(aligned_alloc(64, 65) != NULL, "aligned_alloc(64, 65): expected a block, observed
 *         NULL with errno %d", errno); return PASS;
 *     }
 *
 * What it cannot do without beside malloc and free follows the clauses: PROBE(name, "ID",
 * NEEDS(calloc) | NEEDS(threads)), functions and capabilities. On a subject that lacks one of these
 * it is not applicable; other functions it calls only where it HAS them. A PROCESS_PROBE runs with
 * the subject preloaded, and needs calloc and realloc, because the C library would mix its own with
 * the subject's malloc; a PROCESS_PROBE_IF_POSSIBLE runs beside the C library's malloc where these
 * are missing; in a PROCESS_PROBE_OF_ANY nothing depends on it. */
#define PROBE(name, clauses, ...) \
    PROBE_IN(PLACE_CALLS, name, clauses, (0u __VA_OPT__(| __VA_ARGS__)))
#define PROCESS_PROBE(name, clauses, ...)  \
    PROBE_IN(PLACE_PROCESS, name, clauses, \
             NEEDS(calloc) | NEEDS(realloc) | (0u __VA_OPT__(| __VA_ARGS__)))
#define PROCESS_PROBE_IF_POSSIBLE(name, clauses, ...) \
    PROBE_IN(PLACE_EITHER, name, clauses, (0u __VA_OPT__(| __VA_ARGS__)))
#define PROCESS_PROBE_OF_ANY(name, clauses) PROBE_IN(PLACE_PROCESS, name, clauses, 0u)
#define PROBE_IN(place, name, clauses, needs)                                  \
    static enum probe_outcome name(void);                                      \
    static const struct probe probe_##name = {                                 \
        {#name, JOB_PROBE, needs, probe_run}, clauses, __FILE__, place, name}; \
    JOB_REGISTER(name, probe_##name.job);                                      \
    static enum probe_outcome name(void)

/* Outcomes. All but PASS take a printf format: one sentence without a full stop, "CALL: expected
 * THIS, observed THAT". */
#define PASS             OUTCOME_PASS
#define FAIL(...)        probe_say(OUTCOME_FAIL, __VA_ARGS__)
#define WEAK(...)        probe_say(OUTCOME_WEAK, __VA_ARGS__)
#define RECORDED(...)    probe_say(OUTCOME_RECORDED, __VA_ARGS__)
#define DETECTED(...)    probe_say(OUTCOME_DETECTED, __VA_ARGS__)
#define LATE(...)        probe_say(OUTCOME_LATE, __VA_ARGS__)
#define SILENT(...)      probe_say(OUTCOME_SILENT, __VA_ARGS__)
#define UNSUPPORTED(...) probe_say(OUTCOME_UNSUPPORTED, __VA_ARGS__)
#define EXPECT(condition, ...)        \
    do {                              \
        if (!(condition))             \
            return FAIL(__VA_ARGS__); \
    } while (0)
/* Ends the probe with what a helper found, unless that is PASS. */
#define TRY(outcome)                             \
    do {                                         \
        int outcome_ = (int)(outcome);           \
        if (outcome_ != PASS)                    \
            return (enum probe_outcome)outcome_; \
    } while (0)
#define HAS(function) (calls.function != NULL)
/* From here on calls are to fail: a refusal is no lack of room for the scene. */
#define EXPECT_REFUSALS() probe_expects_refusals()
/* An implementation-defined choice, compared over the whole gate: CHOICE("malloc(0)", "a
 * block"). */
#define CHOICE(question, answer) probe_choose(question, answer)
/* Undefined use on purpose: a death inside is "detected", a death later is "late". */
#define MISUSE(statement)        \
    do {                         \
        probe_misuse_begins();   \
        statement;               \
        probe_misuse_returned(); \
    } while (0)

/* Runs the probe that the job is a part of; report: a struct probe_report. */
void probe_run(const struct job *job, void *report, char *const arguments[]);

enum probe_outcome probe_say(enum probe_outcome outcome, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void probe_choose(const char *question, const char *answer);
void probe_expects_refusals(void);
void probe_misuse_begins(void);
void probe_misuse_returned(void);

enum probe_call_id {
    CALL_NONE,
#define CALL(name, result, parameters) CALL_##name,
    SUBJECT_CALLS(CALL) SUBJECT_MORE_CALLS(CALL)
#undef CALL
        CALL_COUNT
};

/* Which call is being made, so that a death can name it. With threads, the last to write wins. */
struct probe_call {
    volatile uint32_t id;        /* enum probe_call_id */
    volatile uint32_t arguments; /* how many */
    _Alignas(8) volatile uint64_t argument[3];
};

/* The calls so far, in all threads and forked children. */
struct probe_calls {
    struct probe_call last;
    _Atomic uint64_t begun, ended;
    _Atomic uint64_t blocks, bytes; /* given in all; what is live is not more */
    /* The last call that gave no block for a size which some allocators can give, the largest such
     * size, and blocks and bytes by then. Not counted after EXPECT_REFUSALS. */
    _Atomic uint32_t refusals, are_refusals_expected;
    struct probe_call refused;
    _Alignas(8) volatile uint64_t refused_size, refused_blocks, refused_bytes;
    volatile uint32_t lacked; /* enum probe_call_id of a function that the subject has not */
};
extern struct probe_calls *probe_calls;

/* Ends the process, as not applicable. */
_Noreturn void probe_lacks(enum probe_call_id id);
void probe_is_refused(size_t size);

static inline void probe_note(bool has_function, enum probe_call_id id, unsigned arguments,
                              uintptr_t first, uintptr_t second, uintptr_t third)
{
    if (!has_function)
        probe_lacks(id);
    struct probe_call *call = &probe_calls->last;
    call->id = id;
    call->arguments = arguments;
    call->argument[0] = first;
    call->argument[1] = second;
    call->argument[2] = third;
    atomic_fetch_add_explicit(&probe_calls->begun, 1, memory_order_relaxed);
}

static inline void probe_has_returned(void)
{
    atomic_fetch_add_explicit(&probe_calls->ended, 1, memory_order_relaxed);
}

static inline void *probe_gave(void *block, size_t size)
{
    probe_has_returned();
    if (block == NULL) {
        probe_is_refused(size);
        return NULL;
    }
    atomic_fetch_add_explicit(&probe_calls->blocks, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&probe_calls->bytes, size, memory_order_relaxed);
    return block;
}

/* SIZE_MAX: it wraps. */
static inline size_t probe_product(size_t count, size_t size)
{
    size_t product;
    return __builtin_mul_overflow(count, size, &product) ? SIZE_MAX : product;
}

/* Names in a file of probes mean the subject's. GIVE_…: functions whose result is a block. */
#define NOTE1(name, t) probe_note(calls.name != NULL, CALL_##name, 1, (uintptr_t)t, 0, 0)
#define NOTE2(name, t, u) \
    probe_note(calls.name != NULL, CALL_##name, 2, (uintptr_t)t, (uintptr_t)u, 0)
#define NOTE3(name, t, u, v) \
    probe_note(calls.name != NULL, CALL_##name, 3, (uintptr_t)t, (uintptr_t)u, (uintptr_t)v)
#define GIVE1(name, t, total)                    \
    static inline void *probe_##name(size_t t)   \
    {                                            \
        NOTE1(name, t);                          \
        return probe_gave(calls.name(t), total); \
    }
#define GIVE2(name, T, t, u, total)                 \
    static inline void *probe_##name(T t, size_t u) \
    {                                               \
        NOTE2(name, t, u);                          \
        return probe_gave(calls.name(t, u), total); \
    }
#define RETURN0(result, name)                                    \
    static inline result probe_##name(void)                      \
    {                                                            \
        probe_note(calls.name != NULL, CALL_##name, 0, 0, 0, 0); \
        result returned = calls.name();                          \
        probe_has_returned();                                    \
        return returned;                                         \
    }
#define RETURN1(result, name, T, t)        \
    static inline result probe_##name(T t) \
    {                                      \
        NOTE1(name, t);                    \
        result returned = calls.name(t);   \
        probe_has_returned();              \
        return returned;                   \
    }
#define RETURN2(result, name, T, t, U, u)       \
    static inline result probe_##name(T t, U u) \
    {                                           \
        NOTE2(name, t, u);                      \
        result returned = calls.name(t, u);     \
        probe_has_returned();                   \
        return returned;                        \
    }
GIVE1(malloc, size, size)
GIVE1(valloc, size, size)
GIVE1(pvalloc, size, size)
GIVE2(calloc, size_t, count, size, probe_product(count, size))
GIVE2(realloc, void *, block, size, size)
GIVE2(aligned_alloc, size_t, alignment, size, alignment > size ? alignment : size)
GIVE2(memalign, size_t, alignment, size, alignment > size ? alignment : size)
RETURN0(struct mallinfo, mallinfo)
RETURN0(struct mallinfo2, mallinfo2)
RETURN1(size_t, malloc_usable_size, void *, block)
RETURN1(int, malloc_trim, size_t, keep)
RETURN1(size_t, memalignment, const void *, block)
RETURN2(int, mallopt, int, parameter, int, value)
RETURN2(int, malloc_info, int, options, FILE *, file)

static inline void *probe_reallocarray(void *block, size_t count, size_t size)
{
    NOTE3(reallocarray, block, count, size);
    return probe_gave(calls.reallocarray(block, count, size), probe_product(count, size));
}

static inline int probe_posix_memalign(void **block, size_t alignment, size_t size)
{
    NOTE3(posix_memalign, block, alignment, size);
    int error = calls.posix_memalign(block, alignment, size);
    probe_gave(error == 0 ? *block : NULL, error == EINVAL || error == 0 ? 0
                                           : alignment > size            ? alignment
                                                                         : size);
    return error;
}

static inline void probe_free(void *block)
{
    NOTE1(free, block);
    calls.free(block);
    probe_has_returned();
}

static inline void probe_free_sized(void *block, size_t size)
{
    NOTE2(free_sized, block, size);
    calls.free_sized(block, size);
    probe_has_returned();
}

static inline void probe_free_aligned_sized(void *block, size_t alignment, size_t size)
{
    NOTE3(free_aligned_sized, block, alignment, size);
    calls.free_aligned_sized(block, alignment, size);
    probe_has_returned();
}

static inline void probe_malloc_stats(void)
{
    probe_note(calls.malloc_stats != NULL, CALL_malloc_stats, 0, 0, 0, 0);
    calls.malloc_stats();
    probe_has_returned();
}
#undef NOTE1
#undef NOTE2
#undef NOTE3
#undef GIVE1
#undef GIVE2
#undef RETURN0
#undef RETURN1
#undef RETURN2
#ifndef PROBE_NO_NAMES
#define malloc(size)                               probe_malloc(size)
#define free(block)                                probe_free(block)
#define calloc(count, size)                        probe_calloc(count, size)
#define realloc(block, size)                       probe_realloc(block, size)
#define reallocarray(block, count, size)           probe_reallocarray(block, count, size)
#define aligned_alloc(alignment, size)             probe_aligned_alloc(alignment, size)
#define posix_memalign(block, alignment, size)     probe_posix_memalign(block, alignment, size)
#define memalign(alignment, size)                  probe_memalign(alignment, size)
#define valloc(size)                               probe_valloc(size)
#define pvalloc(size)                              probe_pvalloc(size)
#define free_sized(block, size)                    probe_free_sized(block, size)
#define free_aligned_sized(block, alignment, size) probe_free_aligned_sized(block, alignment, size)
#define malloc_usable_size(block)                  probe_malloc_usable_size(block)
#define malloc_trim(keep)                          probe_malloc_trim(keep)
#define mallopt(parameter, value)                  probe_mallopt(parameter, value)
#define mallinfo()                                 probe_mallinfo()
#define mallinfo2()                                probe_mallinfo2()
#define malloc_stats()                             probe_malloc_stats()
#define malloc_info(options, file)                 probe_malloc_info(options, file)
#define memalignment(block)                        probe_memalignment(block)
#endif

#endif
