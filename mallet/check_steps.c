/* SPDX-License-Identifier: MIT */
#include "mallet/check_steps.h"

#define REPLAY     "replay --json ?known $S $C"
#define INTERLEAVE "interleave --json $S"
#define TORTURE    "torture --json --output $O ?known $S"
#define GROWTH     "growth --json --output $O $S"
#define FUZZ       "fuzz --json --output $O $S"

static const struct check_step steps[] = {
    {.name = "clauses",
     .what = "every testable clause of C, POSIX and glibc",
     .commands = {"conform --format json ?baseline $S", "conform --format json ?baseline $S", "conform --format json ?baseline $S"}},
    {.name = "traces", .what = "the corpus, every call checked against the shadow", .commands = {REPLAY, REPLAY, REPLAY}},
    {.name = "threads",
     .what = "the corpus dealt out to threads in fixed orders",
     .commands = {REPLAY " --deal 1", REPLAY " --deal 4", REPLAY " --deal 16"},
     .left_out = {"one deal of each trace only", NULL, NULL}},
    {.name = "refusals",
     .what = "the corpus, each time with another request to the system refused",
     .commands = {REPLAY " --fail-os all --fail-max 8 --rounds 0", REPLAY " --fail-os all --rounds 20",
                  REPLAY " --fail-os all --fail-pairs"},
     .left_out = {"only the first eight requests of a trace; losses over cycles; pairs", "pairs of refusals", NULL}},
    {.name = "interleavings",
     .what = "switches of threads inside calls, exhausted to a bound",
     .commands = {INTERLEAVE " --bound 1 --size 48", INTERLEAVE " --bound 2 --size 48", INTERLEAVE},
     .left_out = {"a smaller bound, one size", "a smaller bound, one size", NULL},
     .is_anvils = true},
    {.name = "torture",
     .what = "free-running threads, forks, signals",
     .commands = {TORTURE " --time 1 --limit 20 --repeat 1", TORTURE " --time 5 --limit 90", TORTURE " --time 60"},
     .left_out = {"a second each, of minutes; no scenario after 20 seconds", "five seconds each, of minutes; no scenario after 90 seconds",
                  NULL}},
    {.name = "growth",
     .what = "memory over cycles, cost over numbers of blocks",
     .commands = {GROWTH " --quick --time 15", GROWTH, GROWTH},
     .left_out = {"small numbers, and no shape after 15 seconds", NULL, NULL}},
    {.name = "fuzz",
     .what = "a search for new traces",
     .commands = {FUZZ " --time 5s", FUZZ " --time 60s", FUZZ " --time 15m"},
     .left_out = {"5 seconds only", "60 seconds only", NULL}},
};

const struct check_step *check_step_at(size_t i)
{
    return i < sizeof steps / sizeof steps[0] ? &steps[i] : NULL;
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
