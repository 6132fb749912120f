/* SPDX-License-Identifier: MIT */
/* What both explorers do with a schedule that fails: keep it, and repeat it to learn how often it
 * fails. */
#include "explore.h"

#include "harness/finding/finding.h"

#include <string.h>

enum { ATTEMPTS = 5 };

bool explorer_is_stopped(const struct explorer *explorer)
{
    return explorer->is_over != NULL && explorer->is_over();
}

bool exploration_is_over(const struct explorer *explorer, struct exploration *exploration,
                         uint64_t schedules_max)
{
    exploration->is_stopped = explorer_is_stopped(explorer);
    return exploration->is_stopped || exploration->schedules >= schedules_max;
}

void exploration_note(struct explorer *explorer, struct exploration *exploration)
{
    const struct record *record = explorer->record;
    if (record->branch_count > exploration->branches_most)
        exploration->branches_most = record->branch_count;
    if (record->steps > exploration->steps_most)
        exploration->steps_most = record->steps;
}

void exploration_keep(struct explorer *explorer, struct exploration *exploration)
{
    const struct record *record = explorer->record;
    exploration->is_found = true;
    exploration->schedule = record->taken;
    exploration->verdict = record->verdict;
    exploration->preemptions = record->preemptions;
    memcpy(exploration->codes, record->codes, sizeof record->codes);
    memcpy(exploration->output, record->output, sizeof record->output);
}

struct follower {
    struct explorer *explorer;
    const struct exploration *exploration;
};

static int follow(void *context, bool *ret_shows)
{
    const struct follower *follower = context;
    const struct exploration *exploration = follower->exploration;
    *ret_shows = explorer_follow(follower->explorer, &exploration->schedule, false) &&
                 follower->explorer->record->verdict.check == exploration->verdict.check;
    return 0;
}

void exploration_confirm(struct explorer *explorer, struct exploration *exploration)
{
    struct follower follower = {explorer, exploration};
    exploration->attempts = ATTEMPTS;
    (void)finding_count(follow, &follower, ATTEMPTS, &exploration->reproduced);
}
