/* SPDX-License-Identifier: MIT */
/*
 * What a workload's blocks take, row by row, each in a process of its own: resident memory beside
 * live bytes. Headers, classes, guard pages and room that is kept for later are choices, so what is
 * many times what is live is a note; a finding only against a bound that the user gives.
 */
#include "adversity/growth/growth_internal.h"

#include <stdio.h>

enum { QUICK_ROWS = 3 /* every third row */, NOTE_FACTOR = 4, CAPACITY_PARTS = 8 };

static bool fits(const struct growth_options *options, const struct room_row *row)
{
    uint64_t capacity = options->subject->capacity;
    return (capacity == 0 || row->size + row->count <= capacity / CAPACITY_PARTS) &&
           (options->subject->blocks == 0 || row->count != 0);
}

/* The allocator's own tables do not count; nor does, without a bound, what a realloc that moved its
 * last block left behind: that is there for the next. */
static double counted(const struct growth_options *options, const struct growth_room *room)
{
    double left = options->bound == 0 && room->row.count != 0 ? (double)room->row.size : 0;
    return (double)room->resident - left - (double)GROWTH_ROOM_SLACK;
}

/* False: it must not go on. A row for which there is no memory is left out. */
static bool measure_row(const struct growth_options *options, const struct room_row *row,
                        struct growth_result *result)
{
    struct growth_report report;
    struct growth_order order = {
        .workload = result->workload->job.name, .count = row->count, .size = row->size};
    if (growth_measure(options, &order, result, &report)) {
        result->room[result->room_count++] =
            (struct growth_room){*row, report.live, report.resident};
        return true;
    }
    if (result->outcome != GROWTH_SKIPPED)
        return false;
    result->outcome = GROWTH_CLEAN;
    return true;
}

static void judge(const struct growth_options *options, struct growth_result *result)
{
    const struct growth_room *worst = &result->room[0];
    for (unsigned i = 1; i < result->room_count; i++)
        if (counted(options, &result->room[i]) / (double)result->room[i].live >
            counted(options, worst) / (double)worst->live)
            worst = &result->room[i];
    bool has_bound = options->bound > 0;
    if (counted(options, worst) <=
        (has_bound ? options->bound : (double)NOTE_FACTOR) * (double)worst->live)
        return;
    char made[64] = "";
    if (worst->row.count != 0)
        snprintf(made, sizeof made, ", made %zu bytes by realloc,", worst->row.count);
    growth_find(result, CHECK_FOOTPRINT,
                "blocks of %zu bytes%s hold %.1f MiB where %.1f MiB are live", worst->row.size,
                made, (double)worst->resident / (1 << 20), (double)worst->live / (1 << 20));
    result->is_choice = !has_bound;
    result->bound = options->bound;
    result->size = worst->row.size;
    result->count = worst->row.count;
}

void growth_room(const struct growth_options *options, struct growth_result *result)
{
    const struct workload *workload = result->workload;
    result->room_count = 0;
    for (size_t i = 0; i < workload->row_count; i += options->is_quick ? QUICK_ROWS : 1)
        if (fits(options, &workload->rows[i]) && !measure_row(options, &workload->rows[i], result))
            return;
    if (result->room_count > 0)
        judge(options, result);
    else {
        result->outcome = GROWTH_SKIPPED;
        snprintf(result->sentence, sizeof result->sentence, "it can hold no row of it");
    }
}
