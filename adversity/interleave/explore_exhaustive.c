/* SPDX-License-Identifier: MIT */
/*
 * Depth-first search over the branches, with a bound on the pre-emptions of a schedule; a choice
 * when the running thread cannot go on costs nothing.
 *
 *   execution  ──●──────●─────────●──  each ● a branch: the default was taken, others remain
 *   next one   ──●──────●─────────○──  the deepest that has another left, and that one affordable
 *
 * The search learns which places are shared as it goes, so it may miss branches that are not known
 * yet. A bound is searched again until a whole search has met no new shared place; then it is
 * exhausted.
 */
#include "explore.h"

struct node {
    uint32_t step;
    uint8_t runnable, tried, fallback, chosen;
    bool is_free;
    uint16_t cost_before; /* pre-emptions so far */
};

struct search {
    struct explorer *explorer;
    struct exploration *exploration;
    unsigned bound;
    uint64_t schedules_max;
    uint32_t depth;
    struct node path[BRANCHES_MAX];
};

static uint16_t cost_of(const struct node *node, unsigned choice)
{
    return (uint16_t)(node->cost_before + (!node->is_free && choice != node->fallback));
}

static struct schedule schedule_of(const struct search *search)
{
    struct schedule schedule = {0};
    for (uint32_t i = 0; i < search->depth; i++)
        if (search->path[i].chosen != search->path[i].fallback && schedule.count < DECISIONS_MAX)
            schedule.decisions[schedule.count++] =
                (struct decision){search->path[i].step, search->path[i].chosen};
    return schedule;
}

/* The branches after the last decision. */
static void go_deeper(struct search *search)
{
    const struct record *record = search->explorer->record;
    uint32_t last_step = search->depth == 0 ? 0 : search->path[search->depth - 1].step;
    for (uint32_t i = 0; i < record->branch_count && search->depth < BRANCHES_MAX; i++) {
        const struct branch *branch = &record->branches[i];
        if (branch->step <= last_step)
            continue;
        const struct node *above = search->depth == 0 ? NULL : &search->path[search->depth - 1];
        uint16_t cost = above == NULL ? 0 : cost_of(above, above->chosen);
        search->path[search->depth++] = (struct node){.step = branch->step,
                                                      .runnable = branch->runnable,
                                                      .tried = (uint8_t)(1u << branch->fallback),
                                                      .fallback = branch->fallback,
                                                      .chosen = branch->fallback,
                                                      .is_free = branch->is_free,
                                                      .cost_before = cost};
    }
}

/* False: this branch has no alternative left that the bound allows. */
static bool choose_another(const struct search *search, struct node *node)
{
    for (unsigned i = 0; i < THREADS_MAX; i++)
        if ((node->runnable & ~node->tried) >> i & 1 && cost_of(node, i) <= search->bound) {
            node->tried |= (uint8_t)(1u << i);
            node->chosen = (uint8_t)i;
            return true;
        }
    return false;
}

static bool go_back(struct search *search)
{
    while (search->depth > 0 && !choose_another(search, &search->path[search->depth - 1]))
        search->depth--;
    return search->depth > 0;
}

/* True: all schedules of this bound, as far as branches are known, have been run. */
static bool search_bound(struct search *search)
{
    struct exploration *exploration = search->exploration;
    search->depth = 0;
    exploration->last_round = 0;
    do {
        if (exploration_is_over(search->explorer, exploration, search->schedules_max))
            return false;
        struct schedule schedule = schedule_of(search);
        bool has_failed = explorer_follow(search->explorer, &schedule, false);
        exploration->schedules++;
        exploration->last_round++;
        exploration_note(search->explorer, exploration);
        if (has_failed) {
            exploration_keep(search->explorer, exploration);
            return false;
        }
        go_deeper(search);
    } while (go_back(search));
    return true;
}

void explore_exhaustively(struct explorer *explorer, unsigned bound, uint64_t schedules_max,
                          struct exploration *ret_exploration)
{
    static struct search search;
    search = (struct search){
        .explorer = explorer, .exploration = ret_exploration, .schedules_max = schedules_max};
    for (search.bound = 0; search.bound <= bound; search.bound++) {
        uint32_t shared;
        ret_exploration->bound = search.bound;
        do {
            shared = explorer->record->shared_place_count;
            if (!search_bound(&search))
                return;
        } while (shared != explorer->record->shared_place_count);
    }
    ret_exploration->is_exhausted = true;
}
