/* SPDX-License-Identifier: MIT */
/*
 * Identical cycles must not grow memory. A trace that passed is repeated; what the process holds
 * after each round is read from the subject's own count where it has one, else as resident memory.
 * Caches may fill for a while, so growth counts only when it goes on through all rounds, steadily,
 * to well above what the trace ever had live; and while it is no more than the caches of threads
 * hold, through three times as many rounds again. A cycle that is clean early ends the check early.
 */
#include "harness/base/memory.h"
#include "harness/run/run_internal.h"

enum {
    FIRST_ROUNDS = 16, /* enough to see that nothing grows */
    LOSS_ROUNDS = 32,  /* enough to see that failures lose memory each time */
    LONGER = 3,        /* times as many rounds again, to tell a slow cache from a loss */
    /* the second half of the rounds grows at least so much of the first half */
    STEADY_PERCENT = 60,
};
#define GROWTH_MIN ((size_t)1 << 20) /* bytes */
/* Rounds are cut so that all of them together run at most so many ops, and fill at most so many
 * bytes. */
#define OPS_BUDGET   ((size_t)100000)
#define BYTES_BUDGET ((size_t)1 << 30)
#define CACHES_MOST  ((size_t)64 << 20)
#define LOSS_ENOUGH  ((size_t)16 << 20)
#define LOSS_MOST    ((size_t)256 << 20)

static size_t read_held(const struct run *run)
{
    return run->subject->footprint != NULL ? run->subject->footprint() : memory_resident();
}

static size_t growth(size_t from, size_t to)
{
    return to > from ? to - from : 0;
}

/* Runs cycles until `total` were run; false if a check failed in one. */
static bool run_rounds(struct run *run, uint32_t from, uint32_t total)
{
    for (uint32_t round = from; round < total; round++) {
        if (run->report->progress != NULL)
            run->report->progress->round = round;
        if (!run_cycle(run))
            return false;
    }
    return true;
}

static uint32_t affordable_rounds(const struct run *run)
{
    size_t rounds = run->options->rounds, by_ops = OPS_BUDGET / (run->trace->count + 1),
           by_bytes = BYTES_BUDGET / (run->peak_size + 1);
    rounds = rounds < by_ops ? rounds : by_ops;
    return (uint32_t)(rounds < by_bytes ? rounds : by_bytes);
}

/* What a failure loses is lost at once, not for a cache to fill: so much growth says enough, in
 * cycles enough unless they cost too much. */
static uint32_t enough_rounds(const struct run *run, uint32_t rounds, size_t first_growth)
{
    size_t each = first_growth / (FIRST_ROUNDS / 2) + 1,
           enough = LOSS_ROUNDS * each < LOSS_MOST ? LOSS_ROUNDS * each : LOSS_MOST;
    if (enough < LOSS_ENOUGH + 4 * run->peak_size)
        enough = LOSS_ENOUGH + 4 * run->peak_size;
    return run->faults.has_failed && enough / each < rounds - FIRST_ROUNDS
               ? FIRST_ROUNDS + (uint32_t)(enough / each)
               : rounds;
}

/* Whether cycles in which no OS call fails grow as much: then the failures are not what loses it.
 * Growth counts from `held` on. */
static bool grows_without_failures(struct run *run, uint32_t from, uint32_t rounds, size_t held,
                                   size_t grown)
{
    run->faults.is_recovering = true;
    bool is_clean = run_rounds(run, from, from + rounds);
    run->faults.is_recovering = false;
    return is_clean && growth(held, read_held(run)) * 100 >= grown * STEADY_PERCENT;
}

bool run_footprint(struct run *run)
{
    uint32_t rounds = affordable_rounds(run);
    if (!run_rounds(run, 1, FIRST_ROUNDS / 2))
        return false;
    size_t start = read_held(run);
    if (!run_rounds(run, FIRST_ROUNDS / 2, FIRST_ROUNDS))
        return false;
    size_t held = read_held(run);
    if (held <= start || rounds <= FIRST_ROUNDS)
        return true;
    rounds = enough_rounds(run, rounds, growth(start, held));
    uint32_t half = FIRST_ROUNDS + (rounds - FIRST_ROUNDS) / 2;
    size_t first = held;
    if (!run_rounds(run, FIRST_ROUNDS, half))
        return false;
    size_t middle = read_held(run);
    if (growth(first, middle) < GROWTH_MIN / 4)
        return true;
    if (!run_rounds(run, half, rounds))
        return false;
    size_t last = read_held(run);
    bool is_steady = growth(middle, last) * 100 >= growth(first, middle) * STEADY_PERCENT;
    size_t grown = growth(first, last);
    if (!is_steady || grown < GROWTH_MIN + 2 * run->peak_size)
        return true;
    if (grown < CACHES_MOST) {
        uint32_t from = rounds;
        size_t before = last;
        rounds += LONGER * (rounds - FIRST_ROUNDS);
        if (!run_rounds(run, from, rounds))
            return false;
        last = read_held(run);
        if (growth(before, last) * 100 < grown * LONGER * STEADY_PERCENT)
            return true;
    }
    bool is_by_failures =
        run->faults.has_failed &&
        !grows_without_failures(run, rounds, rounds - half, last, growth(middle, last));
    run->op = VERDICT_NO_OP;
    run->faults.is_in_last_call = false; /* no one call is at fault */
    return run_fail(run, is_by_failures ? CHECK_RECOVERY : CHECK_FOOTPRINT, "cycle",
                    "%u identical cycles with at most %zu bytes live%s grew memory by %zu bytes, "
                    "steadily, though each freed everything",
                    rounds - FIRST_ROUNDS, run->peak_size,
                    is_by_failures ? " and an OS call that failed" : "", growth(first, last));
}
