/* SPDX-License-Identifier: MIT */
/*
 * The table of steps. Breadth comes first: one pass over every trace takes a tenth of a second and
 * finds half of everything. The campaign begins next, since it uses one processor for long, and the
 * others run beside it.
 */
#include "mallet/check_steps.h"

#include "harness/subject/subject.h"

#include <stdio.h>
#include <string.h>

#define ONE_THREAD "only one thread may call the subject"
#define PASS       "replay --json ?limit --rounds 0 $S $C"
#define CLAUSES    "conform --format json --jobs 1 --programs $O ?limit $S"
#define REPLAY     "replay --json ?limit $S $C"
#define INTERLEAVE "interleave --json ?limit $S"
#define TORTURE    "torture --json --output $O ?limit $S"
#define GROWTH     "growth --json --output $O ?limit $S"
/* A second on a sound allocator, and nearly every cost that grows with the blocks shows in them.
 * What may take a minute of a sound one, and is a note at most, is left to the step growth. */
#define COST                                                                               \
    GROWTH " --quick --band 64 --workload usable --workload boundary --workload fill_lifo" \
           " --workload fill_shuffled --workload fragments"
#define FUZZ "fuzz --json --output $O --time $T $S"

static const struct check_step steps[] = {
    {.name = "pass",
     .what = "every trace once, each call checked",
     .unit = "traces",
     .commands = {PASS, PASS, PASS},
     .seconds = {12, 20, 0},
     .minimum = {40, 40, 40}},
    {.name = "fuzz",
     .what = "a search for new traces",
     .unit = "runs",
     .commands = {FUZZ, FUZZ, FUZZ},
     .left_out = {"20 seconds", "90 seconds", NULL},
     .seconds = {20, 90, 900},
     .minimum = {2000, 10000, 100000}},
    {.name = "cost",
     .what = "cost of an operation over numbers of blocks, in a few workloads",
     .unit = "workloads",
     .commands = {COST, COST, COST},
     .needs = 1u << SUBJECT_flat_cost,
     .why_not = "the cost of the subject's calls may grow",
     .seconds = {8, 30, 0},
     .minimum = {4, 5, 5},
     .key = "skipped",
     .key_unit = "not applicable"},
    {.name = "growth",
     .what = "memory over cycles, cost over numbers of blocks",
     .unit = "workloads",
     .commands = {GROWTH " --quick", GROWTH, GROWTH},
     .left_out = {"small numbers", NULL, NULL},
     .seconds = {12, 120, 0},
     .minimum = {8, 20, 24},
     .key = "skipped",
     .key_unit = "not applicable"},
    {.name = "clauses",
     .what = "the clauses of C and POSIX",
     .unit = "clauses",
     .commands = {CLAUSES, CLAUSES, CLAUSES},
     .seconds = {16, 60, 0},
     .minimum = {120, 180, 180}},
    {.name = "locks",
     .what = "reallocs of two threads in opposite orders",
     .unit = "scenarios",
     .commands = {TORTURE " --scenario opposite-reallocs --time 3 --repeat 1",
                  TORTURE " --scenario opposite-reallocs --time 10 --repeat 3",
                  TORTURE " --scenario opposite-reallocs --time 60"},
     .needs = 1u << SUBJECT_threads,
     .why_not = ONE_THREAD,
     .seconds = {14, 30, 0},
     .minimum = {1, 1, 1}},
    {.name = "refusals",
     .what = "every trace, each time with another request to the system refused",
     .unit = "traces",
     .commands = {REPLAY " --fail-os all --fail-max 8 --rounds 0",
                  REPLAY " --fail-os all --rounds 20", REPLAY " --fail-os all --fail-pairs"},
     .left_out = {"only eight requests of a trace; losses over cycles; pairs", "pairs of refusals",
                  NULL},
     .seconds = {8, 60, 0},
     .minimum = {30, 40, 40},
     .key = "faults",
     .key_unit = "refused OS calls"},
    {.name = "threads",
     .what = "every trace dealt out to threads in fixed orders",
     .unit = "traces",
     .commands = {REPLAY " --deal 1 --rounds 0", REPLAY " --deal 4", REPLAY " --deal 16"},
     .left_out = {"one deal of each trace only, no cycles", NULL, NULL},
     .needs = 1u << SUBJECT_threads,
     .why_not = ONE_THREAD,
     .seconds = {6, 50, 0},
     .minimum = {30, 40, 40}},
    {.name = "cycles",
     .what = "every trace in many identical cycles",
     .unit = "traces",
     .commands = {REPLAY, REPLAY, REPLAY},
     .seconds = {10, 30, 0},
     .minimum = {15, 40, 40}},
    {.name = "interleavings",
     .what = "switches of threads inside calls, exhausted to a bound",
     .unit = "explorations",
     .commands = {INTERLEAVE " --bound 1 --size 48", INTERLEAVE " --bound 2 --size 48", INTERLEAVE},
     .left_out = {"a smaller bound, one size", "a smaller bound, one size", NULL},
     .seconds = {8, 40, 0},
     .minimum = {1, 4, 4},
     .is_anvils = true,
     .list = "explorations",
     .key = "schedules",
     .key_unit = "schedules"},
    {.name = "torture",
     .what = "free-running threads, forks, signals",
     .unit = "scenarios",
     .commands = {TORTURE " --time 1 --repeat 1", TORTURE " --time 5", TORTURE " --time 60"},
     .left_out = {"a second each, of minutes", "five seconds each, of minutes", NULL},
     .needs = 1u << SUBJECT_threads,
     .why_not = ONE_THREAD,
     .seconds = {14, 110, 0},
     .minimum = {6, 10, 10},
     .list = "scenarios",
     .key = "calls",
     .key_unit = "calls"},
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

/* ---- what a step did ---- */

static unsigned long number_of(const json_t *object, const char *key)
{
    json_int_t number = json_integer_value(json_object_get(object, key));
    return number > 0 ? (unsigned long)number : 0;
}

unsigned long check_step_done(const json_t *document)
{
    return number_of(document, "done");
}

/* Of a subject without the functions, or the memory, for any of it there is nothing to be done. */
static bool is_not_applicable(const json_t *document)
{
    return number_of(document, "skipped") > 0 && number_of(document, "done") == 0 &&
           number_of(document, "not_run") == 0;
}

unsigned long check_step_minimum(const struct check_step *step, enum check_level level,
                                 const json_t *document)
{
    unsigned long own = number_of(document, "minimum"), least = step->minimum[level];
    if (is_not_applicable(document))
        return 0;
    return json_object_get(document, "minimum") != NULL && own < least ? own : least;
}

bool check_step_is_part(const json_t *document)
{
    return !is_not_applicable(document) &&
           check_step_done(document) < number_of(document, "minimum");
}

static unsigned long second_number(const struct check_step *step, const json_t *document)
{
    size_t i;
    json_t *object;
    unsigned long sum = 0;
    if (step->list == NULL)
        return number_of(document, step->key);
    json_array_foreach(json_object_get(document, step->list), i, object) sum +=
        number_of(object, step->key);
    return sum;
}

void check_step_describe(const struct check_step *step, const json_t *document, char *ret_text,
                         size_t capacity)
{
    unsigned long done = check_step_done(document);
    bool is_part = check_step_is_part(document);
    int unit = (int)strlen(step->unit) - (done == 1 && !is_part); /* each unit is a plural in s */
    char all[32] = "";
    if (is_part)
        snprintf(all, sizeof all, " of %lu", number_of(document, "minimum"));
    int used = snprintf(ret_text, capacity, "%lu%s %.*s", done, all, unit, step->unit);
    if (step->key != NULL && used >= 0 && (size_t)used < capacity)
        snprintf(ret_text + used, capacity - (size_t)used, ", %lu %s",
                 second_number(step, document), step->key_unit);
}
