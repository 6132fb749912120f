/* SPDX-License-Identifier: MIT */
/*
 * Random priorities. With n threads, k branches and d - 1 change points, a bug that needs d steps
 * in one order is met by each schedule with a probability of at least 1 / (n k^(d-1)).
 *
 * Shrinking: first every decision is left out in turn; then all schedules with fewer pre-emptions
 * are tried, as long as there are not too many.
 */
#include "explore.h"

#include <string.h>

enum { SHRINK_MAX = 2000 };

static bool fails_alike(struct explorer *explorer, const struct schedule *schedule,
                        enum check check)
{
    return explorer_follow(explorer, schedule, false) && explorer->record->verdict.check == check;
}

static void leave_out_decisions(struct explorer *explorer, struct exploration *exploration)
{
    for (uint32_t i = exploration->schedule.count; i-- > 0;) {
        struct schedule shorter = exploration->schedule;
        shorter.count--;
        memmove(&shorter.decisions[i], &shorter.decisions[i + 1],
                (shorter.count - i) * sizeof shorter.decisions[0]);
        if (fails_alike(explorer, &shorter, (enum check)exploration->verdict.check)) {
            exploration_keep(explorer, exploration);
            if (i > exploration->schedule.count)
                i = exploration->schedule.count;
        }
    }
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
    while (exploration->schedules < schedules_max) {
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
