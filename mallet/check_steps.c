/* SPDX-License-Identifier: MIT */
#include "mallet/check_steps.h"

#define REPLAY "replay --json ?known $S $C"

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
     .commands = {REPLAY " --fail-os all --fail-max 16", REPLAY " --fail-os all", REPLAY " --fail-os all --fail-pairs"},
     .left_out = {"only the first requests of each trace", "pairs of refusals", NULL}},
    {.name = "interleavings",
     .what = "switches of threads inside calls, exhausted to a bound",
     .commands = {"interleave --json $S --bound 1", "interleave --json $S", "interleave --json $S --bound 3"},
     .left_out = {"a smaller bound", NULL, NULL},
     .is_anvils = true},
    {.name = "torture",
     .what = "free-running threads, forks, signals",
     .commands = {"torture --json ?known $S --time 10", "torture --json ?known $S --time 60", "torture --json ?known $S --time 600"},
     .left_out = {"10 seconds only", "60 seconds only", NULL}},
    {.name = "growth",
     .what = "memory over cycles, cost over numbers of blocks",
     .commands = {"growth --json --quick $S", "growth --json $S", "growth --json $S"},
     .left_out = {"small numbers only", NULL, NULL}},
    {.name = "fuzz",
     .what = "a search for new traces",
     .commands = {"fuzz --json --time 8s --output $O $S", "fuzz --json --time 60s --output $O $S", "fuzz --json --time 15m --output $O $S"},
     .left_out = {"8 seconds only", "60 seconds only", NULL}},
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
