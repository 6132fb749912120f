/* SPDX-License-Identifier: MIT */
/*
 * The table of steps: for each step and level the command line, what the level leaves out, and the
 * share of the time limit. Breadth comes first: cheap steps that find most run before the long
 * ones.
 */
#include "mallet/check_steps.h"

#define CONFORM    "conform --format json $S"
#define REPLAY     "replay --json ?limit $S $C"
#define INTERLEAVE "interleave --json ?limit $S"
#define TORTURE    "torture --json --output $O ?limit $S"
#define GROWTH     "growth --json --output $O ?limit $S"
#define FUZZ       "fuzz --json --output $O $S"

static const struct check_step steps[] = {
    {.name = "clauses",
     .what = "every testable clause of C, POSIX and glibc",
     .commands = {CONFORM, CONFORM, CONFORM},
     .share = {26, 6, 6},
     .describe = check_describe_clauses},
    {.name = "traces",
     .what = "the corpus, every call checked against the shadow",
     .commands = {REPLAY, REPLAY, REPLAY},
     .share = {9, 5, 4},
     .describe = check_describe_traces},
    {.name = "threads",
     .what = "the corpus dealt out to threads in fixed orders",
     .commands = {REPLAY " --deal 1 --rounds 100", REPLAY " --deal 4", REPLAY " --deal 16"},
     .left_out = {"one deal of each trace only, fewer cycles", NULL, NULL},
     .share = {8, 12, 12},
     .describe = check_describe_traces},
    {.name = "refusals",
     .what = "the corpus, each time with another request to the system refused",
     .commands = {REPLAY " --fail-os all --fail-max 8 --rounds 0",
                  REPLAY " --fail-os all --rounds 20", REPLAY " --fail-os all --fail-pairs"},
     .left_out = {"only the first eight requests of a trace; losses over cycles; pairs",
                  "pairs of refusals", NULL},
     .share = {5, 14, 16},
     .describe = check_describe_refusals},
    {.name = "interleavings",
     .what = "switches of threads inside calls, exhausted to a bound",
     .commands = {INTERLEAVE " --bound 1 --size 48", INTERLEAVE " --bound 2 --size 48", INTERLEAVE},
     .left_out = {"a smaller bound, one size", "a smaller bound, one size", NULL},
     .share = {4, 4, 10},
     .is_anvils = true,
     .describe = check_describe_interleavings},
    {.name = "growth",
     .what = "memory over cycles, cost over numbers of blocks",
     .commands = {GROWTH " --quick", GROWTH, GROWTH},
     .left_out = {"small numbers", NULL, NULL},
     .share = {10, 15, 14},
     .describe = check_describe_growth},
    {.name = "fuzz",
     .what = "a search for new traces",
     .commands = {FUZZ " --time $T:5", FUZZ " --time $T:60", FUZZ " --time $T:900"},
     .left_out = {"5 seconds at most", "60 seconds at most", NULL},
     .share = {8, 16, 16},
     .describe = check_describe_campaign},
    {.name = "torture",
     .what = "free-running threads, forks, signals",
     .commands = {TORTURE " --time 1 --repeat 1", TORTURE " --time 5", TORTURE " --time 60"},
     .left_out = {"a second each, of minutes", "five seconds each, of minutes", NULL},
     /* the rest of the limit is for a deadlock, which takes ten seconds of silence to be
      * believed */
     .share = {10, 23, 18},
     .describe = check_describe_torture},
};

const struct check_step *check_step_at(size_t i)
{
    return i < sizeof steps / sizeof steps[0] ? &steps[i] : NULL;
}

double check_step_part(const struct check_step *step, enum check_level level)
{
    unsigned left = 100;
    for (const struct check_step *earlier = steps; earlier < step; earlier++)
        left -= earlier->share[level];
    return (double)step->share[level] / left;
}

const char *check_level_name(enum check_level level)
{
    static const char *const names[LEVEL_COUNT] = {"quick", "default", "thorough"};
    return names[level];
}

unsigned check_level_limit(enum check_level level)
{
    static const unsigned limits[LEVEL_COUNT] = {60, 300, 0};
    return limits[level];
}
