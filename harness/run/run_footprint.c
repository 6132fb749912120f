/* SPDX-License-Identifier: MIT */
/*
 * Identical cycles must not grow memory: a trace that passed is repeated, and what the process
 * holds is read from the subject's own count where it has one, else as resident memory. trend.h
 * decides what growth is; most traces stop growing before its second look.
 *
 * Where an OS call fails in each cycle, the failure may be what loses memory. A loss by failures
 * shows when growth stops without them and goes on with them again: a cache that filled meanwhile
 * does not go on, so that this takes fewer cycles.
 */
#include "harness/base/memory.h"
#include "harness/base/text.h"
#include "harness/base/trend.h"
#include "harness/run/run_internal.h"

enum { STEADY_PERCENT = 60, SUSPECTED_FACTOR = 8 };
/* All cycles together run at most so many ops, and fill at most so many bytes. */
#define OPS_BUDGET   ((uint64_t)1 << 20)
#define BYTES_BUDGET ((uint64_t)16 << 30)
#define LOSS_ENOUGH  ((uint64_t)16 << 20) /* bytes; by failures */
/* Up to so many bytes live at once, a loss of one small block in a cycle is waited for. */
#define SMALL_PEAK ((size_t)512 << 10)

struct footprint {
    struct run *run;
    struct trend trend;
    uint64_t done, affordable;      /* cycles */
    uint64_t start;                 /* when the trend began */
    struct trend_freed freed_start; /* likewise */
};

static uint64_t read_held(const struct run *run)
{
    return run->subject->footprint != NULL ? run->subject->footprint() : memory_resident();
}

static uint64_t affordable_cycles(const struct run *run)
{
    uint64_t by_ops = OPS_BUDGET / (run->trace->count + 1),
             by_bytes = BYTES_BUDGET / (run->peak_size + 1),
             cycles = by_ops < by_bytes ? by_ops : by_bytes;
    if (run->options->growth == GROWTH_SUSPECTED && cycles > run->options->rounds)
        return run->options->rounds;
    return cycles;
}

/* Runs cycles until so many were run in all; false if a check failed in one. */
static bool run_until(struct footprint *footprint, uint64_t total)
{
    struct run *run = footprint->run;
    for (; footprint->done < total; footprint->done++)
        if (!run_cycle(run))
            return false;
    return true;
}

static struct trend_freed count_freed(const struct footprint *footprint)
{
    struct trend_freed freed = footprint->run->given_back;
    freed.blocks -= footprint->freed_start.blocks;
    freed.bytes -= footprint->freed_start.bytes;
    return freed;
}

/* What looks like a leak is worth more cycles: a quarantine has to be filled. */
static bool can_afford_next(const struct footprint *footprint)
{
    const struct trend *trend = &footprint->trend;
    bool is_worth_more =
        footprint->run->options->growth == GROWTH_FOLLOWED && trend_is_suspicious(trend);
    return trend->next_look <= footprint->affordable * (is_worth_more ? SUSPECTED_FACTOR : 1);
}

/* Cycles until the trend is clear or no more can be afforded; false if a check failed. */
static bool follow(struct footprint *footprint, enum trend_state *ret_state)
{
    struct trend *trend = &footprint->trend;
    bool suspects = footprint->run->options->growth == GROWTH_SUSPECTED;
    *ret_state = TREND_OPEN;
    while (*ret_state == TREND_OPEN && can_afford_next(footprint)) {
        if (!run_until(footprint, footprint->start + trend->next_look))
            return false;
        struct trend_freed freed = count_freed(footprint);
        *ret_state = trend_look(trend, freed, read_held(footprint->run));
        if (*ret_state == TREND_OPEN && suspects && freed.blocks >= trend->least_frees &&
            !trend_may_be_noticed(trend, footprint->affordable))
            *ret_state = TREND_ENDED;
    }
    if (*ret_state == TREND_OPEN && trend_is_suspicious(trend)) {
        footprint->run->has_open_growth = !footprint->run->may_have_kept;
        if (suspects)
            *ret_state = TREND_GROWS;
    }
    return true;
}

/* By how much as many cycles again as half of those so far grow memory, with failures or without;
 * false if a check failed. */
static bool grow_again(struct footprint *footprint, bool has_failures, uint64_t *ret_growth)
{
    struct run *run = footprint->run;
    uint64_t before = read_held(run);
    run->faults.is_recovering = !has_failures;
    bool is_clean = run_until(footprint, footprint->done + footprint->done / 2);
    run->faults.is_recovering = false;
    uint64_t after = read_held(run);
    *ret_growth = after > before ? after - before : 0;
    return is_clean;
}

/* Whether growth ends without the failures, and goes on with them. */
static bool is_by_failures(struct footprint *footprint, bool *ret_is_clean)
{
    uint64_t without, with, expected = trend_growth(&footprint->trend) / 2;
    if (!(*ret_is_clean = grow_again(footprint, false, &without)))
        return false;
    if (without * 100 >= expected * STEADY_PERCENT)
        return false;
    return (*ret_is_clean = grow_again(footprint, true, &with)) &&
           with * 100 >= expected * STEADY_PERCENT;
}

static bool fail(const struct footprint *footprint, enum check check, const char *with)
{
    struct run *run = footprint->run;
    run->op = VERDICT_NO_OP;
    run->faults.is_in_last_call = false; /* no one call is at fault */
    return run_fail(run, check, "cycle",
                    "%llu identical cycles with at most %zu byte%s live%s grew memory by %llu "
                    "bytes, steadily, though each freed everything",
                    (unsigned long long)(footprint->done - TREND_FIRST), run->peak_size,
                    text_plural(run->peak_size), with,
                    (unsigned long long)trend_growth(&footprint->trend));
}

static struct footprint footprint_begin(struct run *run, uint64_t done)
{
    struct footprint footprint = {.run = run,
                                  .trend = trend_begin(run->peak_size),
                                  .done = done,
                                  .affordable = affordable_cycles(run),
                                  .start = done > 1 ? done : 0, /* the run itself is a cycle */
                                  .freed_start =
                                      done > 1 ? run->given_back : (struct trend_freed){0}};
    footprint.trend.least_frees = run->peak_size <= SMALL_PEAK ? TREND_LEAST_FREES : 0;
    return footprint;
}

/* Failures are not what it is due to: then as much is needed as anywhere. */
static bool judge_with_failures(struct footprint *footprint)
{
    bool is_clean;
    enum trend_state state;
    struct run *run = footprint->run;
    run_evaluate(run, CHECK_RECOVERY);
    if (is_by_failures(footprint, &is_clean))
        return fail(footprint, CHECK_RECOVERY, " and an OS call that failed");
    if (!is_clean)
        return false;
    *footprint = footprint_begin(footprint->run, footprint->done);
    footprint->run->faults.is_recovering = true;
    is_clean = follow(footprint, &state);
    footprint->run->faults.is_recovering = false;
    if (state != TREND_OPEN)
        run_evaluate(run, CHECK_FOOTPRINT);
    return is_clean && (state != TREND_GROWS || fail(footprint, CHECK_FOOTPRINT, ""));
}

bool run_footprint(struct run *run)
{
    enum trend_state state;
    struct footprint footprint = footprint_begin(run, 1);
    if (run->faults.has_failed)
        footprint.trend.enough_bytes = LOSS_ENOUGH;
    if (!follow(&footprint, &state))
        return false;
    if (state != TREND_OPEN) /* else too few cycles to tell */
        run_evaluate(run, CHECK_FOOTPRINT);
    if (state != TREND_GROWS || run->may_have_kept)
        return true;
    return run->faults.has_failed ? judge_with_failures(&footprint)
                                  : fail(&footprint, CHECK_FOOTPRINT, "");
}
