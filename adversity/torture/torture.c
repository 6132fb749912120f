/* SPDX-License-Identifier: MIT */
/* Which subject, which scenarios, one process after the other, and again to see how often a finding
 * comes back. */
#include "adversity/torture/torture.h"

#include "adversity/torture/scenarios.h"
#include "adversity/torture/torture_internal.h"
#include "harness/base/clock.h"
#include "harness/finding/finding.h"
#include "harness/job/job.h"

#include <assert.h>

enum { ALONE_PACE_US = 40, SHARED_PACE_US = 80, REPEAT_MIN_MS = 2000 };

static const struct torture_scenario scenarios[] = {
#define SCENARIO(name, function, milliseconds, pace_us, needs, files, text) \
    {name, files, text, milliseconds, pace_us, (needs) | NEEDS(threads)},
    SCENARIOS(SCENARIO)
#undef SCENARIO
};
enum { SCENARIO_COUNT = sizeof scenarios / sizeof scenarios[0] };

static_assert((int)TORTURE_WORKERS_MAX == (int)WORKERS_MAX,
              "what a person may ask for is what the testlib has room for");

const struct torture_scenario *torture_scenario_at(size_t i)
{
    return i < SCENARIO_COUNT ? &scenarios[i] : NULL;
}

const struct torture_scenario *torture_scenario_find(const char *name)
{
    for (size_t i = 0; i < SCENARIO_COUNT; i++)
        if (strcmp(scenarios[i].name, name) == 0)
            return &scenarios[i];
    return NULL;
}

struct torture_mode torture_mode_of(const struct torture_plan *plan, unsigned i)
{
    struct torture_mode mode = {.seed = plan->seed + i,
                                .on_one_processor = (plan->seed + i) % 4 == 3,
                                .pace_us = plan->scenario->pace_us};
    if (mode.pace_us != 0)
        return mode;
    if (mode.on_one_processor)
        mode.pace_us = ALONE_PACE_US;
    else if (mode.seed % 2 == 1)
        mode.pace_us = SHARED_PACE_US;
    return mode;
}

int torture_run(const struct torture_plan *plan, struct torture_result *ret_result,
                char error[SUBJECT_ERROR_MAX])
{
    struct torture_result result = {0};
    uint64_t start = clock_now_ms();
    result.lacking = job_find_lacking(plan->scenario->needs, plan->subject->offers);
    while (result.lacking == NULL && !result.has_finding &&
           (result.processes == 0 || result.elapsed_ms < plan->milliseconds)) {
        struct torture_mode mode = torture_mode_of(plan, result.processes);
        int failure = torture_run_process(plan, &mode, &result, error);
        if (failure != 0)
            return failure;
        result.seed = mode.seed;
        result.on_one_processor = mode.on_one_processor;
        result.pace_us = mode.pace_us;
        result.elapsed_ms = (unsigned)(clock_now_ms() - start);
    }
    *ret_result = result;
    return 0;
}

static bool mute(struct torture_plan *plan, const char *name)
{
    size_t used = strlen(plan->muted);
    if (used + strlen(name) + 2 > sizeof plan->muted)
        return false;
    snprintf(plan->muted + used, sizeof plan->muted - used, "%s ", name);
    return true;
}

/* Of a function that only ends the process every process would come to its end in no time. */
static bool mute_call(struct torture_plan *plan, const char *call)
{
    static const enum subject_call dispensable[] = {
        SUBJECT_calloc,         SUBJECT_memalign,           SUBJECT_aligned_alloc,
        SUBJECT_posix_memalign, SUBJECT_malloc_usable_size, SUBJECT_malloc_trim};
    for (size_t i = 0; i < sizeof dispensable / sizeof dispensable[0]; i++)
        if (strcmp(call, subject_call_name(dispensable[i])) == 0 &&
            (plan->scenario->needs >> dispensable[i] & 1) == 0)
            return mute(plan, call);
    return false;
}

bool torture_mute(struct torture_plan *plan, const struct torture_result *found)
{
    static const enum check harmless[] = {CHECK_ALIGNMENT, CHECK_ERRNO, CHECK_USABLE, CHECK_ZEROED};
    if (found->verdict.check == CHECK_CRASH)
        return mute_call(plan, found->call);
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
        if (found->verdict.check == harmless[i])
            return mute(plan, check_name(harmless[i]));
    return false;
}

struct repeats {
    const struct torture_plan *plan;
    const struct verdict *found;
    char *error;
};

/* A race damages other blocks each time: whether a changed byte or a crash shows it is chance. */
static bool is_same_damage(const struct verdict *found, const struct verdict *other)
{
    return (check_family((enum check)found->check) >> other->check & 1) != 0 &&
           finding_is_exit(found->sentence) == finding_is_exit(other->sentence);
}

static int run_again(void *context, bool *ret_shows)
{
    struct repeats *repeats = context;
    struct torture_result result;
    int failure = torture_run(repeats->plan, &result, repeats->error);
    *ret_shows =
        failure == 0 && result.has_finding && is_same_damage(repeats->found, &result.verdict);
    return failure;
}

int torture_reproduce(const struct torture_plan *plan, const struct torture_result *found,
                      unsigned attempts, unsigned *ret_times, char error[SUBJECT_ERROR_MAX])
{
    struct torture_plan again = *plan;
    unsigned twice = 2 * found->elapsed_ms;
    again.seed = found->seed;
    again.milliseconds = twice > REPEAT_MIN_MS ? twice : REPEAT_MIN_MS;
    struct repeats repeats = {&again, &found->verdict, error};
    return finding_count(run_again, &repeats, attempts, ret_times);
}
