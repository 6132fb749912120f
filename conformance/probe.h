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
 * A PROCESS_PROBE runs with the subject preloaded. */
#define PROBE(name, clauses)         PROBE_IN(PLACE_CALLS, name, clauses)
#define PROCESS_PROBE(name, clauses) PROBE_IN(PLACE_PROCESS, name, clauses)
#define PROBE_IN(place, name, clauses)                                     \
    static enum probe_outcome name(void);                                  \
    static const struct probe probe_##name = {                             \
        {#name, JOB_PROBE, 0, probe_run}, clauses, __FILE__, place, name}; \
    JOB_REGISTER(name, probe_##name.job);                                  \
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
#define PROBE_ERROR(...) probe_say(OUTCOME_ERROR, __VA_ARGS__)
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
/* Ends the probe as not applicable unless the subject has the function. */
#define NEED(function)                                                                    \
    do {                                                                                  \
        if (calls.function == NULL)                                                       \
            return probe_say(OUTCOME_NOT_APPLICABLE, "the subject has no %s", #function); \
    } while (0)
#define HAS(function) (calls.function != NULL)
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
void probe_misuse_begins(void);
void probe_misuse_returned(void);

enum probe_call_id {
    CALL_NONE,
#define CALL(name, result, parameters) CALL_##name,
    SUBJECT_CALLS(CALL) SUBJECT_MORE_CALLS(CALL)
#undef CALL
        CALL_COUNT
};

/* Which call is being made, so that a death can name it. Cheap enough for millions; with threads,
 * the last to write wins. */
struct probe_call {
    volatile uint32_t id;        /* enum probe_call_id */
    volatile uint32_t arguments; /* how many */
    volatile uint64_t argument[3];
};
extern struct probe_call *probe_call;

static inline void probe_note(enum probe_call_id id, unsigned arguments, uintptr_t first,
                              uintptr_t second, uintptr_t third)
{
    probe_call->id = id;
    probe_call->arguments = arguments;
    probe_call->argument[0] = first;
    probe_call->argument[1] = second;
    probe_call->argument[2] = third;
}

/* Names in a file of probes mean the subject's. */
#define WRAP1(result, name, T, t)                       \
    static inline result probe_##name(T t)              \
    {                                                   \
        probe_note(CALL_##name, 1, (uintptr_t)t, 0, 0); \
        return calls.name(t);                           \
    }
#define WRAP2(result, name, T, t, U, u)                            \
    static inline result probe_##name(T t, U u)                    \
    {                                                              \
        probe_note(CALL_##name, 2, (uintptr_t)t, (uintptr_t)u, 0); \
        return calls.name(t, u);                                   \
    }
#define WRAP3(result, name, T, t, U, u, V, v)                                 \
    static inline result probe_##name(T t, U u, V v)                          \
    {                                                                         \
        probe_note(CALL_##name, 3, (uintptr_t)t, (uintptr_t)u, (uintptr_t)v); \
        return calls.name(t, u, v);                                           \
    }
/* clang-format off */
WRAP1(void *, malloc, size_t, size)
WRAP1(void, free, void *, block)
WRAP2(void *, calloc, size_t, count, size_t, size)
WRAP2(void *, realloc, void *, block, size_t, size)
WRAP3(void *, reallocarray, void *, block, size_t, count, size_t, size)
WRAP2(void *, aligned_alloc, size_t, alignment, size_t, size)
WRAP3(int, posix_memalign, void **, block, size_t, alignment, size_t, size)
WRAP2(void *, memalign, size_t, alignment, size_t, size)
WRAP1(void *, valloc, size_t, size)
WRAP1(void *, pvalloc, size_t, size)
WRAP2(void, free_sized, void *, block, size_t, size)
WRAP3(void, free_aligned_sized, void *, block, size_t, alignment, size_t, size)
WRAP1(size_t, malloc_usable_size, void *, block)
WRAP1(int, malloc_trim, size_t, keep)
WRAP2(int, mallopt, int, parameter, int, value)
WRAP2(int, malloc_info, int, options, FILE *, file)
WRAP1(size_t, memalignment, const void *, block)
static inline struct mallinfo probe_mallinfo(void) { probe_note(CALL_mallinfo, 0, 0, 0, 0); return calls.mallinfo(); }
static inline struct mallinfo2 probe_mallinfo2(void) { probe_note(CALL_mallinfo2, 0, 0, 0, 0); return calls.mallinfo2(); }
static inline void probe_malloc_stats(void) { probe_note(CALL_malloc_stats, 0, 0, 0, 0); calls.malloc_stats(); }
/* clang-format on */
#undef WRAP1
#undef WRAP2
#undef WRAP3
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
