/* SPDX-License-Identifier: MIT */
/*
 * How long until a bug is found: `time_to_bug SUBJECTS [-b BUDGET] [-s SEEDS] [-f FIRST] [-m MODE]
 * [-w BYTES] [BUG…]`. For each mutant, the median over seeds of executions to the first verdict,
 * with the op mutator and with plain mutation of bytes, side by side. All else is the same: the
 * seed traces, the feedback (an input that shows a behaviour never seen is kept), the options of
 * the runs, one persistent worker.
 *
 * Seeds count up from FIRST: figures to report take seeds that nobody tuned the mutator with. MODE
 * leaves all others out; beside `ops` and `bytes` there are ablations, each the op mutator without
 * one more idea, for fuzz/tools/ablation:
 *
 *     blind      no feedback: what is mutated are the seed traces alone
 *     no-faults  no OS call is refused
 *     fresh      a process for each trace
 *
 * Blocks of up to BYTES are filled whole; 8192 is what a campaign does.
 *
 * The last row is the geometric mean of the medians, without the allocator that has no bug.
 *
 *   corpus ── pick ──→ mutate (ops | bytes) ──→ decode ──→ executor_run ──→ verdict: done
 *     ↑                                                        │
 *     └──────────────── new behaviour counters ────────────────┘
 *
 * A measurement to read, not a test: run it on a quiet machine, though executions do not depend on
 * its speed.
 */
#include "fuzz/mutator.h"
#include "harness/base/random.h"
#include "harness/executor/executor.h"
#include "mutants/registry.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    INPUT_MAX = 1024,
    OPS_MAX = INPUT_MAX / TRACE_RECORD_SIZE,
    CORPUS_MAX = 4096,
    SEEDS_MAX = 101,
    BYTE_STEPS_MAX = 8,
    CROSS_ONE_IN = 8
};

enum mode { MODE_OPS, MODE_BYTES, MODE_BLIND, MODE_NO_FAULTS, MODE_FRESH, MODES };
static const char *const mode_names[MODES] = {"ops", "bytes", "blind", "no-faults", "fresh"};

struct input {
    uint8_t bytes[INPUT_MAX];
    size_t length;
};

/* The correct variant: whatever is found in it is a false alarm. */
static const struct mutant none = {.id = "none", .origin = "heap", .caught_by = "trace=nothing"};

static const char *check_of(const struct mutant *mutant)
{
    static struct mutant_catch catch;
    return mutant_catch_find(mutant, "trace", &catch) ? catch.names : "";
}

static const char *const seed_traces[] = {
    "#0 = malloc 100\n#1 = malloc 100\nfree #0\nfree #1\n",
    "#0 = malloc 100\n#0 = realloc #0 200\nfree #0\n",
    "#0 = calloc 4 25\n#1 = aligned_alloc 64 100\nfree #0\nfree #1\n",
};
enum { SEED_TRACES = sizeof seed_traces / sizeof seed_traces[0] };

static struct {
    const char *folder;
    unsigned long budget; /* executions */
    unsigned long first;  /* of the seeds */
    unsigned seeds;
    uint64_t fill_max;
    bool is_left_out[MODES];
} settings = {.budget = 50000,
              .first = 1,
              .seeds = 5,
              .fill_max = 1 << 18,
              .is_left_out = {[MODE_BLIND] = true, [MODE_NO_FAULTS] = true, [MODE_FRESH] = true}};

/* Of one search; starts again for each. */
static struct {
    struct random random;
    struct input corpus[CORPUS_MAX];
    size_t kept;
    uint8_t seen[RUN_FEATURES]; /* bit per magnitude of the counter */
} search;

static void give_up(const char *what)
{
    fprintf(stderr, "time_to_bug: %s\n", what);
    exit(2);
}

/* ---- mutation ---- */

/* One random edit, as any engine makes them: flip a bit, set, insert, delete or copy bytes. Returns
 * the new length. */
static size_t edit_bytes(struct random *random, uint8_t *bytes, size_t length)
{
    size_t at = random_below(random, length), count = 1 + random_below(random, 8);
    size_t from = random_below(random, length);
    if (count > length - at)
        count = length - at;
    switch (random_below(random, 5)) {
    case 0:
        bytes[at] ^= (uint8_t)(1u << random_below(random, 8));
        return length;
    case 1:
        bytes[at] = (uint8_t)random_next(random);
        return length;
    case 2:
        if (length + count > INPUT_MAX)
            return length;
        memmove(bytes + at + count, bytes + at, length - at);
        for (size_t i = 0; i < count; i++)
            bytes[at + i] = (uint8_t)random_next(random);
        return length + count;
    case 3:
        if (length - count < TRACE_RECORD_SIZE)
            return length;
        memmove(bytes + at, bytes + at + count, length - at - count);
        return length - count;
    default:
        if (length - from < count || length + count > INPUT_MAX)
            return length;
        memmove(bytes + at + count, bytes + at, length - at);
        memmove(bytes + at, bytes + (from < at ? from : from + count) % length, count);
        return length + count;
    }
}

static void mutate_bytes(struct input *input)
{
    uint64_t steps = random_between(&search.random, 1, BYTE_STEPS_MAX);
    for (uint64_t i = 0; i < steps; i++)
        input->length = edit_bytes(&search.random, input->bytes, input->length);
}

static void mutate_ops(struct input *input)
{
    const struct input *other = &search.corpus[random_below(&search.random, search.kept)];
    struct input crossed;
    if (random_once_in(&search.random, CROSS_ONE_IN)) {
        crossed.length = mutator_cross(input->bytes, input->length, other->bytes, other->length,
                                       crossed.bytes, INPUT_MAX, random_next(&search.random));
        *input = crossed;
    } else {
        input->length =
            mutator_mutate(input->bytes, input->length, INPUT_MAX, random_next(&search.random));
    }
}

/* ---- feedback ---- */

static uint8_t magnitude(uint8_t counter)
{
    return counter == 0 ? 0 : (uint8_t)(1u << (31 - __builtin_clz(counter)));
}

static bool is_new_behaviour(const uint8_t *features)
{
    bool is_new = false;
    for (size_t i = 0; i < RUN_FEATURES; i++) {
        uint8_t bit = magnitude(features[i]);
        is_new |= (search.seen[i] & bit) != bit;
        search.seen[i] |= bit;
    }
    return is_new;
}

static void keep(const struct input *input)
{
    if (search.kept < CORPUS_MAX && input->length >= TRACE_RECORD_SIZE)
        search.corpus[search.kept++] = *input;
}

/* ---- one search ---- */

static void begin(uint64_t seed)
{
    search.random.state = seed;
    search.kept = 0;
    memset(search.seen, 0, sizeof search.seen);
    for (size_t i = 0; i < SEED_TRACES; i++) {
        struct trace_op ops[OPS_MAX];
        struct trace trace = {.ops = ops, .capacity = OPS_MAX};
        struct trace_error error;
        struct input input;
        if (trace_parse(seed_traces[i], strlen(seed_traces[i]), &trace, &error) != 0)
            give_up(error.sentence);
        input.length = trace_encode(&trace, input.bytes, sizeof input.bytes);
        keep(&input);
    }
}

static struct run_options make_options(const struct executor *executor, const struct mutant *mutant,
                                       const struct trace *trace)
{
    struct run_options options = executor_thorough(executor, trace->count);
    options.fill_max = settings.fill_max;
    options.touch_max = 1 << 20;
    options.sweep_every = 16;
    if (strcmp(check_of(mutant), "footprint") != 0)
        options.rounds = 0;
    return options;
}

static void drop_faults(struct trace *trace)
{
    size_t kept = 0;
    for (size_t i = 0; i < trace->count; i++)
        if (trace->ops[i].kind != OP_FAIL_OS)
            trace->ops[kept++] = trace->ops[i];
    trace->count = kept;
}

static bool run_input(struct executor *executor, const struct mutant *mutant, enum mode mode,
                      const struct input *input, struct execution *execution)
{
    static struct trace_op ops[OPS_MAX];
    char error[SUBJECT_ERROR_MAX];
    struct trace trace = {.ops = ops, .capacity = OPS_MAX};
    trace_decode(input->bytes, input->length, &trace);
    if (mode == MODE_NO_FAULTS)
        drop_faults(&trace);
    const struct run_options options = make_options(executor, mutant, &trace);
    if (executor_run(executor, &trace, &options, mode == MODE_FRESH, execution, error) != 0)
        give_up(error);
    return execution->is_clean;
}

/* Executions to the first verdict, or budget + 1. */
static unsigned long find_bug(struct executor *executor, const struct mutant *mutant,
                              enum mode mode, uint64_t seed, uint32_t *ret_check)
{
    begin(seed);
    for (unsigned long executions = 1; executions <= settings.budget; executions++) {
        struct execution execution;
        struct input input = search.corpus[random_below(&search.random, search.kept)];
        if (mode == MODE_BYTES)
            mutate_bytes(&input);
        else
            mutate_ops(&input);
        if (!run_input(executor, mutant, mode, &input, &execution)) {
            *ret_check = execution.verdict.check;
            return executions;
        }
        if (mode != MODE_BLIND && is_new_behaviour(execution.features))
            keep(&input);
    }
    return settings.budget + 1;
}

/* ---- the table ---- */

struct result {
    unsigned long median;
    unsigned found;             /* searches that did */
    unsigned seen[CHECK_COUNT]; /* as which check */
};

static int compare(const void *left, const void *right)
{
    unsigned long a = *(const unsigned long *)left, b = *(const unsigned long *)right;
    return (a > b) - (a < b);
}

static struct result measure(struct executor *executor, const struct mutant *mutant, enum mode mode)
{
    struct result result = {0};
    unsigned long counts[SEEDS_MAX];
    for (unsigned i = 0; i < settings.seeds; i++) {
        uint32_t check = CHECK_COUNT;
        counts[i] = find_bug(executor, mutant, mode, settings.first + i, &check);
        result.found += counts[i] <= settings.budget;
        if (check < CHECK_COUNT)
            result.seen[check]++;
    }
    qsort(counts, settings.seeds, sizeof counts[0], compare);
    result.median = counts[settings.seeds / 2];
    return result;
}

static void print_result(const struct result *result)
{
    char median[32];
    snprintf(median, sizeof median, "%s%lu", result->median > settings.budget ? ">" : "",
             result->median > settings.budget ? settings.budget : result->median);
    printf(" %8s | %u/%u |", median, result->found, settings.seeds);
}

static void print_seen(const struct result results[MODES])
{
    const char *comma = " ";
    for (unsigned check = 0; check < CHECK_COUNT; check++) {
        unsigned count = 0;
        for (enum mode mode = MODE_OPS; mode < MODES; mode++)
            count += results[mode].seen[check];
        if (count > 0)
            printf("%s%s %u", comma, check_name((enum check)check), count);
        comma = count > 0 ? ", " : comma;
    }
    printf(" |\n");
    fflush(stdout);
}

/* Of the medians, by mode. */
static struct {
    double logarithm_sum[MODES];
    unsigned count[MODES];
} means;

static void note_median(enum mode mode, unsigned long median)
{
    means.logarithm_sum[mode] += log((double)median);
    means.count[mode]++;
}

static double mean(enum mode mode)
{
    return means.count[mode] > 0 ? exp(means.logarithm_sum[mode] / means.count[mode]) : 0;
}

static void measure_and_print(const struct mutant *mutant)
{
    char path[1024], error[SUBJECT_ERROR_MAX];
    struct executor *executor;
    struct result results[MODES];
    const struct executor_options options = {.cpu_limit_ms = 200};
    mutant_library(mutant, false, settings.folder, path, sizeof path);
    if (executor_start(&executor, path, &options, error) != 0)
        give_up(error);
    printf("| %-22s | %-10s |", mutant->id, check_of(mutant));
    for (enum mode mode = MODE_OPS; mode < MODES; mode++) {
        results[mode] = (struct result){0};
        if (settings.is_left_out[mode])
            continue;
        results[mode] = measure(executor, mutant, mode);
        if (mutant != &none && results[mode].median > 0)
            note_median(mode, results[mode].median);
        print_result(&results[mode]);
        fflush(stdout);
    }
    print_seen(results);
    executor_stop(executor);
}

static void print_head(void)
{
    printf("| mutant                 | check      |");
    for (enum mode mode = MODE_OPS; mode < MODES; mode++)
        if (!settings.is_left_out[mode])
            printf(" %s | found |", mode_names[mode]);
    printf(" seen as |\n|---|---|");
    for (enum mode mode = MODE_OPS; mode < MODES; mode++)
        if (!settings.is_left_out[mode])
            printf("---:|---|");
    printf("---|\n");
}

static void print_means(void)
{
    printf("| %-22s | %-10s |", "geometric mean", "");
    for (enum mode mode = MODE_OPS; mode < MODES; mode++)
        if (!settings.is_left_out[mode])
            printf(" %8.1f |     |", mean(mode));
    printf(" |\n");
}

/* Arguments from `first` on name mutants; none: all. */
static bool is_wanted(const struct mutant *mutant, char **first)
{
    if (*first == NULL)
        return true;
    while (*first != NULL && strcmp(*first, mutant->id) != 0)
        first++;
    return *first != NULL;
}

static void leave_out_others(const char *name)
{
    for (enum mode mode = MODE_OPS; mode < MODES; mode++)
        settings.is_left_out[mode] = strcmp(name, mode_names[mode]) != 0;
    for (enum mode mode = MODE_OPS; mode < MODES; mode++)
        if (!settings.is_left_out[mode])
            return;
    give_up("-m is `ops`, `bytes`, `blind`, `no-faults` or `fresh`");
}

static char **read_arguments(char **argument)
{
    settings.folder = *argument;
    for (argument++; argument[0] != NULL && argument[0][0] == '-' && argument[1] != NULL;
         argument += 2) {
        unsigned long value = strtoul(argument[1], NULL, 10);
        if (strcmp(argument[0], "-b") == 0)
            settings.budget = value;
        else if (strcmp(argument[0], "-s") == 0 && value >= 1 && value <= SEEDS_MAX)
            settings.seeds = (unsigned)value;
        else if (strcmp(argument[0], "-f") == 0)
            settings.first = value;
        else if (strcmp(argument[0], "-w") == 0)
            settings.fill_max = value;
        else if (strcmp(argument[0], "-m") == 0)
            leave_out_others(argument[1]);
        else
            give_up("-b BUDGET (executions), -s SEEDS (1 to 101), -f FIRST (seed), -m MODE and "
                    "-w BYTES are the options");
    }
    return argument;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        give_up("SUBJECTS, the folder of the mutants, is missing");
    char **wanted = read_arguments(argv + 1);
    printf("Executions to the first verdict: median of %u searches, budget %lu each.\n\n",
           settings.seeds, settings.budget);
    print_head();
    if (is_wanted(&none, wanted))
        measure_and_print(&none);
    for (const struct mutant *mutant = NULL; (mutant = mutant_next(mutant, "trace")) != NULL;)
        if (is_wanted(mutant, wanted))
            measure_and_print(mutant);
    print_means();
    return 0;
}
