/* SPDX-License-Identifier: MIT */
/*
 * Shows a class of verdict again. It may hide behind another one: a subject whose every block is
 * misaligned never gets as far as its overlap. So checks in the way are muted, one by one, and no
 * more than those. Rounds come last, because a clean run with them costs as much as hundreds
 * without, and only a footprint, or a crash in some later cycle, needs them.
 */
#include "harness/finding/reproduce.h"
#include "harness/base/text.h"

#include <string.h>

/* Growth of whole blocks is suspicious within few rounds; many, which decide, take seconds. */
enum { ROUNDS_FEW = 256, ROUNDS_MANY = INT32_MAX };

bool verdict_is_same(const struct verdict *left, const struct verdict *right)
{
    return left->check == right->check && strncmp(left->site, right->site, VERDICT_SITE_MAX) == 0;
}

bool verdict_is_growth(const struct verdict *verdict)
{
    return verdict->check == CHECK_FOOTPRINT ||
           (verdict->check == CHECK_RECOVERY && strcmp(verdict->site, "cycle") == 0);
}

bool reproduce_shows(const struct reproduction *reproduction, const struct execution *execution,
                     const struct verdict *class)
{
    const struct verdict *verdict = &execution->verdict;
    if (execution->is_clean)
        return false;
    bool is_of_family = verdict->check < CHECK_COUNT &&
                        (reproduction->family >> verdict->check & 1) != 0 &&
                        finding_is_exit(verdict->sentence) == finding_is_exit(class->sentence);
    return is_of_family || verdict_is_same(verdict, class);
}

int reproduce_once(struct executor *executor, const struct trace *trace,
                   const struct reproduction *reproduction, struct execution *ret_execution,
                   char error[SUBJECT_ERROR_MAX])
{
    struct run_options options = executor_thorough(executor, trace->count);
    options.muted = reproduction->muted;
    if (options.rounds > reproduction->rounds)
        options.rounds = reproduction->rounds;
    options.growth = reproduction->rounds < ROUNDS_MANY ? GROWTH_SUSPECTED : GROWTH_FOLLOWED;
    return executor_run(executor, trace, &options, true, ret_execution, error);
}

/* Makes way for what may come after this verdict; false if nothing can. */
static bool reproduction_widen(struct reproduction *reproduction, const struct execution *execution,
                               const struct verdict *class)
{
    uint32_t check = execution->verdict.check;
    if (execution->is_clean) {
        bool is_widest = reproduction->rounds == ROUNDS_MANY;
        reproduction->rounds = reproduction->rounds == 0 ? ROUNDS_FEW : ROUNDS_MANY;
        return !is_widest;
    }
    if (check == class->check || check >= CHECK_COUNT ||
        (reproduction->muted & (UINT32_C(1) << check)) != 0)
        return false;
    reproduction->muted |= UINT32_C(1) << check;
    return true;
}

int reproduce_search(struct executor *executor, const struct trace *trace,
                     const struct verdict *class, struct reproduction *reproduction,
                     struct execution *ret_execution, char error[SUBJECT_ERROR_MAX])
{
    if (reproduction->rounds == 0 && verdict_is_growth(class))
        reproduction->rounds = ROUNDS_FEW;
    for (;;) {
        int failure = reproduce_once(executor, trace, reproduction, ret_execution, error);
        if (failure != 0 || reproduce_shows(reproduction, ret_execution, class) ||
            !reproduction_widen(reproduction, ret_execution, class))
            return failure;
    }
}

struct replays {
    struct executor *executor;
    struct finding *finding;
    const struct verdict *class;
    struct reproduction reproduction;
    char *error;
};

/* Of growth, the numbers of this long run, not those of the short one that raised the suspicion. */
static void quote(struct finding *finding, const struct execution *execution)
{
    const struct verdict own = finding_verdict(finding);
    text_copy_printable(finding->output, sizeof finding->output, execution->output);
    if (verdict_is_same(&own, &execution->verdict))
        finding->cycle = execution->verdict.cycle;
    if (verdict_is_growth(&own) && verdict_is_same(&own, &execution->verdict))
        text_copy_printable(finding->sentence, sizeof finding->sentence,
                            execution->verdict.sentence);
}

static int replay_finding(void *context, bool *ret_shows)
{
    struct replays *replays = context;
    struct execution execution;
    int failure = reproduce_once(replays->executor, &replays->finding->trace,
                                 &replays->reproduction, &execution, replays->error);
    if (failure != 0)
        return failure;
    *ret_shows = reproduce_shows(&replays->reproduction, &execution, replays->class);
    if (*ret_shows)
        quote(replays->finding, &execution);
    return 0;
}

/* A footprint must go on growing through all rounds: what stops after a few was a cache that
 * filled. */
static int search(struct replays *replays, unsigned searches, bool *ret_shows)
{
    const struct reproduction least = {.rounds =
                                           verdict_is_growth(replays->class) ? ROUNDS_MANY : 0};
    *ret_shows = false;
    while (searches-- > 0 && !*ret_shows) {
        struct execution execution;
        replays->reproduction = least;
        int failure = reproduce_search(replays->executor, &replays->finding->trace, replays->class,
                                       &replays->reproduction, &execution, replays->error);
        if (failure != 0)
            return failure;
        *ret_shows = reproduce_shows(&replays->reproduction, &execution, replays->class);
    }
    return 0;
}

/* The way to show the class is found first and not counted: k of n is about one run each. */
int finding_reproduce(struct executor *executor, struct finding *finding, unsigned attempts,
                      char error[SUBJECT_ERROR_MAX])
{
    const struct verdict class = finding_verdict(finding);
    struct replays replays = {executor, finding, &class, {0}, error};
    unsigned shown = 0;
    bool is_shown;
    int failure = search(&replays, attempts, &is_shown);
    if (failure == 0 && is_shown)
        failure = finding_count(replay_finding, &replays, attempts, &shown);
    if (failure != 0)
        return failure;
    finding->binding = executor_info(executor)->subject.binding;
    finding->reproduced = shown;
    finding->attempts = attempts;
    return 0;
}
