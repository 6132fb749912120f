/* SPDX-License-Identifier: MIT */
/*
 * Another user of sbrk. `sbrk N` takes N bytes at the program break between two calls of the
 * subject, as a library that has a heap of its own does. What it got stays its own for the life of
 * the process: no block may lie in it, its bytes never change, and the break never falls below it.
 *
 *   │ the subject's, if it uses the break │ foreign: filled with a pattern │ the subject's → break
 *
 * The break is moved once in a run, not in each cycle: nobody but the last user could give back.
 * The process is spent then, as the next run must not find what this one took.
 */
#include "harness/run/run_internal.h"
#include "harness/trace/pattern.h"

#include <string.h>
#include <unistd.h>

void run_break_move(struct run *run, const struct trace_op *op)
{
    size_t size = (size_t)op->extra;
    if (run->options->one_thread || run->round > 0 || size == 0 ||
        run->foreign_count == RUN_FOREIGN_MAX)
        return;
    void *start = sbrk((intptr_t)size);
    if (start == (void *)-1)
        return; /* a libc that has no sbrk, or a break that cannot grow */
    uint64_t seed = ~(uint64_t)run->op * 0xd6e8feb86659fd93u;
    run->foreign[run->foreign_count++] = (struct foreign){start, size, seed};
    pattern_fill(start, size, size, seed);
}

bool run_has_moved_break(const struct run *run)
{
    return run->foreign_count > 0;
}

const struct foreign *break_find_overlap(const struct run *run, const void *block, size_t capacity)
{
    uintptr_t start = (uintptr_t)block, end = start + capacity;
    for (size_t i = 0; i < run->foreign_count; i++) {
        uintptr_t from = (uintptr_t)run->foreign[i].start;
        if (start < from + run->foreign[i].size && end > from)
            return &run->foreign[i];
    }
    return NULL;
}

/* What lies above the break is no longer there to be read. */
static bool judge_break(struct run *run, const char *site)
{
    uintptr_t now = run->foreign_count > 0 ? (uintptr_t)sbrk(0) : UINTPTR_MAX;
    for (size_t i = 0; i < run->foreign_count; i++) {
        const struct foreign *foreign = &run->foreign[i];
        run_evaluate(run, CHECK_OVERLAP);
        if ((uintptr_t)foreign->start + foreign->size > now)
            return run_fail(run, CHECK_OVERLAP, site,
                            "the program break fell to %p: %zu bytes at %p, which another user of "
                            "sbrk got, are gone",
                            (void *)now, foreign->size, (void *)foreign->start);
    }
    return true;
}

bool judge_foreign(struct run *run, const char *site)
{
    if (!judge_break(run, site))
        return false;
    for (size_t i = 0; i < run->foreign_count; i++) {
        const struct foreign *foreign = &run->foreign[i];
        run_evaluate(run, CHECK_CONTENT);
        size_t wrong = pattern_verify(foreign->start, foreign->size, foreign->size, foreign->size,
                                      foreign->seed);
        if (wrong != PATTERN_ALL_GOOD)
            return run_fail(run, CHECK_CONTENT, site,
                            "byte %zu of %zu that another user of sbrk got at %p was 0x%02x, is "
                            "0x%02x",
                            wrong, foreign->size, (void *)foreign->start,
                            pattern_byte(foreign->seed, wrong), foreign->start[wrong]);
    }
    return true;
}
