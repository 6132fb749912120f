/* SPDX-License-Identifier: MIT */
/*
 * Random priorities. With n threads, k branches and d - 1 change points, a bug that needs d steps
 * in one order is hit by each schedule with a probability of at least 1 / (n k^(d-1)).
 *
 * Shrinking: first, decisions that are not needed to fail are removed; then all schedules with
 * fewer pre-emptions are tried, as long as there are not too many.
 */
#include "explore.h"

#include "harness/finding/shrink_list.h"

#include <string.h>

enum { SHRINK_MAX = 2000 };

static bool fails_alike(struct explorer *explorer, const struct schedule *schedule,
                        enum check check)
{
    return explorer_follow(explorer, schedule, false) && explorer->record->verdict.check == check;
}

struct schedule_shrink {
    struct explorer *explorer;
    struct exploration *exploration;
};

static size_t decisions_left(void *context)
{
    return ((const struct schedule_shrink *)context)->exploration->schedule.count;
}

static bool is_spent(void *context)
{
    return explorer_is_stopped(((const struct schedule_shrink *)context)->explorer);
}

static bool remove_decisions(void *context, size_t start, size_t end)
{
    struct schedule_shrink *shrink = context;
    struct exploration *exploration = shrink->exploration;
    struct schedule shorter = exploration->schedule;
    memmove(&shorter.decisions[start], &shorter.decisions[end],
            (shorter.count - end) * sizeof shorter.decisions[0]);
    shorter.count -= (uint32_t)(end - start);
    if (!fails_alike(shrink->explorer, &shorter, (enum check)exploration->verdict.check))
        return false;
    exploration_keep(shrink->explorer, exploration);
    return true;
}

static void leave_out_decisions(struct explorer *explorer, struct exploration *exploration)
{
    struct schedule_shrink shrink = {explorer, exploration};
    const struct shrink_list decisions = {.count = decisions_left,
                                          .remove = remove_decisions,
                                          .is_spent = is_spent,
                                          .context = &shrink};
    (void)shrink_list(&decisions);
}

static void try_fewer_preemptions(struct explorer *explorer, struct exploration *exploration)
{
    struct exploration fewer = {0};
    if (exploration->preemptions == 0)
        return;
    explore_exhaustively(explorer, exploration->preemptions - 1, SHRINK_MAX, &fewer);
    if (!fewer.is_found || fewer.verdict.check != exploration->verdict.check)
        return;
    (void)explorer_follow(explorer, &fewer.schedule, false);
    exploration_keep(explorer, exploration);
}

static bool run_seed(struct explorer *explorer, uint64_t seed, unsigned change_points,
                     uint32_t expected_branches)
{
    struct record *record = explorer->record;
    record->strategy = PRIORITIES;
    record->seed = seed;
    record->change_points = change_points;
    record->expected_branches = expected_branches;
    explorer_execute(explorer);
    return record->has_verdict;
}

void explore_by_priorities(struct explorer *explorer, unsigned change_points,
                           uint64_t schedules_max, uint64_t seed,
                           struct exploration *ret_exploration)
{
    struct exploration *exploration = ret_exploration;
    while (!exploration_is_over(explorer, exploration, schedules_max)) {
        bool has_failed = run_seed(explorer, seed + exploration->schedules++, change_points,
                                   exploration->branches_most);
        exploration_note(explorer, exploration);
        if (!has_failed)
            continue;
        exploration_keep(explorer, exploration);
        leave_out_decisions(explorer, exploration);
        try_fewer_preemptions(explorer, exploration);
        return;
    }
}
