/* SPDX-License-Identifier: MIT */
/*
 * One workload, one band of sizes: costs at N, 2N and 4N, each in a process of its own; where they
 * may grow, three times more, at 8N too, and the last time at 16N. The least of each number of
 * blocks counts. N is twice as large where instructions are not counted. Then OS calls, in
 * processes that count them.
 */
#include "adversity/growth/growth_internal.h"

#include <stdio.h>

/* So few that a quadratic workload at 8N ends within seconds, so many that a walk over all of them
 * is longer than some cache misses. */
#define COUNT_MAX ((size_t)2048)
#define COUNT_MIN ((size_t)8)
/* Of what the subject can hold, at 8N; headers and holes take more. Of its blocks, at N: half are
 * live at 16N. */
enum { CAPACITY_PARTS = 4, BLOCKS_PARTS = 32 };
#define BYTES_MAX ((size_t)4 << 30) /* at 8N; address space, most of which nobody writes to */
/* Small blocks share pages: the system has nothing to do with most of them. A larger one may be a
 * mapping, with calls to make and to trim it. */
#define SMALL_MAX         ((size_t)1 << 10)
#define OS_CALLS_OF_SMALL 0.25
#define OS_CALLS_OF_LARGE 8.0
#define OS_CALLS_OF_PAIR  1.0
/* Bytes that realloc copies for each one appended: 9 if it rounds up by an eighth, 192 if it always
 * copies. */
#define MOVED_MAX 64.0

static size_t choose_count(const struct growth_options *options, const struct growth_result *result,
                           size_t most)
{
    if (workload_has_one_block(result->workload))
        return most;
    size_t bytes = result->workload->bytes_max != 0 ? result->workload->bytes_max : BYTES_MAX;
    if (options->subject->capacity != 0 && options->subject->capacity / CAPACITY_PARTS < bytes)
        bytes = options->subject->capacity / CAPACITY_PARTS;
    size_t count = result->size != 0 ? bytes / 8 / result->size : most;
    size_t blocks = (size_t)options->subject->blocks / BLOCKS_PARTS;
    if (blocks != 0 && count > blocks)
        count = blocks;
    return count > most ? most : count < COUNT_MIN ? COUNT_MIN : count;
}

static struct growth_order make_order(const struct growth_result *result, size_t count,
                                      bool is_counting)
{
    return (struct growth_order){.workload = result->workload->job.name,
                                 .count = count,
                                 .size = result->size,
                                 .is_counting = is_counting};
}

/* The first `count` costs once, or once more: each is the least seen, since whatever else runs on
 * the machine only adds to it. */
static bool measure_costs(const struct growth_options *options, size_t blocks, unsigned count,
                          struct growth_result *result)
{
    for (unsigned i = 0; i < count; i++) {
        struct growth_report report;
        struct growth_order order = make_order(result, blocks << i, false);
        if (!growth_measure(options, &order, result, &report) || report.operations == 0)
            return false;
        result->has_instructions = report.instructions != 0;
        double cost = (double)(result->has_instructions ? report.instructions : report.cpu_ns) /
                      (double)report.operations;
        if (i >= result->cost_count || cost < result->costs[i])
            result->costs[i] = cost;
        if (i >= result->cost_count)
            result->cost_count = i + 1;
    }
    return true;
}

static double cost_floor(const struct growth_result *result)
{
    return result->has_instructions ? COST_FLOOR_INSTRUCTIONS : COST_FLOOR_NS;
}

/* Where each operation finds the same as the one before, what it costs more than at N is asked:
 * system calls that all of them make cannot hide that. */
static bool ask_costs(bool (*ask)(const double *, unsigned, double),
                      const struct growth_result *result)
{
    double floor = cost_floor(result), rises[COSTS_MAX] = {0};
    if (!workload_has_one_block(result->workload))
        return ask(result->costs, result->cost_count, floor);
    for (unsigned i = 1; i < result->cost_count; i++)
        rises[i - 1] = result->costs[i] - result->costs[0];
    return rises[0] >= floor / 4 && ask(rises, result->cost_count - 1, floor);
}

static void confirm_costs(const struct growth_options *options, size_t blocks,
                          struct growth_result *result)
{
    for (; result->attempts < ATTEMPTS && result->reproduced == result->attempts;
         result->attempts++) {
        if (!measure_costs(options, blocks,
                           result->attempts + 1 == ATTEMPTS ? COSTS_MAX : COSTS_TO_CONFIRM, result))
            return;
        result->reproduced += ask_costs(costs_may_grow, result);
    }
    const double *costs = result->costs;
    if (result->reproduced < ATTEMPTS || !ask_costs(costs_grow, result))
        return;
    result->count = blocks;
    growth_find(result, CHECK_SCALING,
                "an operation costs %.0f, %.0f, %.0f, %.0f, %.0f %s at %zu %s, and at 2, 4, 8, 16 "
                "times as many",
                costs[0], costs[1], costs[2], costs[3], costs[4],
                result->has_instructions ? "instructions" : "ns of CPU time", blocks,
                workload_has_one_block(result->workload) ? "pairs" : "blocks");
}

static void judge_os_calls(const struct growth_options *options, size_t blocks,
                           struct growth_result *result)
{
    struct growth_report report;
    struct growth_order order = make_order(result, 4 * blocks, true);
    if (!growth_measure(options, &order, result, &report) || !report.has_os_calls ||
        report.operations == 0)
        return;
    result->has_os_calls = true;
    result->os_calls = (double)report.os_calls / (double)report.operations;
    if (result->os_calls <
        (result->size != 0 && result->size <= SMALL_MAX ? OS_CALLS_OF_SMALL : OS_CALLS_OF_LARGE))
        return;
    result->reproduced = result->attempts = 0; /* of the costs, which were no finding */
    growth_find(result, CHECK_SCALING,
                "%zu operations on blocks of %zu bytes made %zu OS calls, when memory for them had "
                "long been there",
                (size_t)report.operations, result->size, (size_t)report.os_calls);
    result->is_choice = true;
}

void growth_scaling(const struct growth_options *options, struct growth_result *result)
{
    size_t blocks = choose_count(options, result, COUNT_MAX);
    if (!measure_costs(options, blocks, 1, result))
        return;
    if (!result->has_instructions) { /* time has more to it that does not grow */
        blocks = choose_count(options, result, 2 * COUNT_MAX);
        result->cost_count = 0;
    }
    if (!measure_costs(options, blocks, COSTS_ENOUGH + workload_has_one_block(result->workload),
                       result))
        return;
    if (ask_costs(costs_may_grow, result))
        confirm_costs(options, blocks, result);
    if (result->outcome == GROWTH_CLEAN &&
        !workload_has_one_block(result->workload)) /* that is `boundary`'s */
        judge_os_calls(options, blocks, result);
}

void growth_appends(const struct growth_options *options, struct growth_result *result)
{
    struct growth_report report;
    struct growth_order order = make_order(result, 1, true);
    if (!growth_measure(options, &order, result, &report) || !report.has_os_calls ||
        report.appended == 0)
        return;
    result->has_os_calls = true;
    result->os_calls = (double)report.os_calls / (double)report.operations;
    result->moved = (double)report.moved / (double)report.appended;
    if (result->moved >= MOVED_MAX)
        growth_find(result, CHECK_SCALING,
                    "appending to a block of %zu to %zu bytes copied %.0f bytes for each one "
                    "appended",
                    result->size / 2, result->size, result->moved);
    else if (result->os_calls >= OS_CALLS_OF_LARGE)
        growth_find(result, CHECK_SCALING,
                    "appending to a block of %zu to %zu bytes made %.1f OS calls each time",
                    result->size / 2, result->size, result->os_calls);
}

void growth_os_calls(const struct growth_options *options, struct growth_result *result)
{
    struct growth_report report;
    struct growth_order order = make_order(result, choose_count(options, result, COUNT_MAX), true);
    if (!growth_measure(options, &order, result, &report) || !report.has_os_calls ||
        report.worst_operations == 0)
        return;
    result->has_os_calls = true;
    result->os_calls = (double)report.worst_calls / (double)report.worst_operations;
    if (result->os_calls < OS_CALLS_OF_PAIR)
        return;
    growth_find(result, CHECK_SCALING,
                "with %zu blocks of %zu bytes live, %zu times malloc and free of one more made %zu "
                "OS calls",
                (size_t)report.worst_window + 1, result->size, (size_t)report.worst_operations,
                (size_t)report.worst_calls);
    /* in every stretch: the allocator asks the system for each block, wherever it stands */
    result->is_choice = (double)report.os_calls * 2 >= (double)report.operations * result->os_calls;
}
