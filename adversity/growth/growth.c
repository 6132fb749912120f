/* SPDX-License-Identifier: MIT */
#include "adversity/growth/growth_internal.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

/* The bands: each four times the last; under --quick every third one. */
static const size_t sizes[] = {16,       64,        256,     1 << 10, 4 << 10,  16 << 10,
                               64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

/* A subject of limited capacity is full when that part of it is live: the rest is headers,
 * holes. */
enum { FULL_DIVISOR = 4 };

/* A hang: no call returned in such a part of the CPU time that the process had. */
enum { HANG_DIVISOR = 2 };

const char *growth_outcome_name(enum growth_outcome outcome)
{
    static const char *const names[] = {"clean", "finding", "note", "skipped", "not run"};
    return names[outcome];
}

void growth_find(struct growth_result *result, enum check check, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(result->sentence, sizeof result->sentence, format, arguments);
    va_end(arguments);
    result->outcome = GROWTH_FINDING;
    result->check = check;
    result->is_choice = result->workload->is_choice && check != CHECK_CRASH;
}

static void skip(struct growth_result *result, const char *sentence)
{
    result->outcome = GROWTH_SKIPPED;
    snprintf(result->sentence, sizeof result->sentence, "%s", sentence);
}

/* Calls that return are no hang; how cost grows is for the workloads about cost to judge. */
void growth_leave_out(struct growth_result *result, unsigned rounds, unsigned cpu_seconds)
{
    result->outcome = GROWTH_NOT_RUN;
    snprintf(result->sentence, sizeof result->sentence,
             "slow: %u of %zu rounds were over within %u seconds of CPU time", rounds,
             result->count, cpu_seconds);
}

static void judge_signal(struct growth_result *result, const struct growth_ending *ending)
{
    int number = WTERMSIG(ending->status);
    if (number != SIGXCPU)
        growth_find(result, CHECK_CRASH, "in round %u the process died of signal %d (%s)",
                    ending->report.round, number, strsignal(number));
    else if (result->workload->kind == WORKLOAD_SCALING)
        growth_find(result, CHECK_SCALING,
                    "at %zu blocks it did not end within %u seconds of CPU time", result->count,
                    ending->cpu_seconds);
    else if (ending->idle_seconds >= ending->cpu_seconds / HANG_DIVISOR)
        growth_find(result, CHECK_PROGRESS,
                    "in round %u no call returned within %u of %u seconds of CPU time",
                    ending->report.round, ending->idle_seconds, ending->cpu_seconds);
    else
        growth_leave_out(result, ending->report.round, ending->cpu_seconds);
}

/* The first round asks for as much as every other; but threads, and holes, may need more at one
 * time than at another, which a small subject does not have. */
static void judge_refusal(const struct growth_options *options, struct growth_result *result,
                          const struct growth_report *report)
{
    uint64_t capacity = options->subject->capacity;
    bool is_full = (capacity != 0 && report->peak_live >= capacity / FULL_DIVISOR) ||
                   options->subject->blocks != 0; /* how many were live is not known */
    if (report->is_slow) {
        skip(result, report->sentence);
        result->outcome = GROWTH_NOT_RUN;
    } else if (report->round > 0 && !is_full)
        growth_find(result, CHECK_FOOTPRINT, "%.160s in round %u, though round 0 had as much",
                    report->sentence, report->round);
    else
        skip(result, report->sentence);
}

static bool judge_ending(const struct growth_options *options, struct growth_result *result,
                         const struct growth_ending *ending)
{
    snprintf(result->output, sizeof result->output, "%s", ending->output);
    if (ending->is_blocked)
        growth_find(result, CHECK_PROGRESS, "in round %u all threads wait for ever",
                    ending->report.round);
    else if (WIFSIGNALED(ending->status))
        judge_signal(result, ending);
    else if (ending->report.sentence[0] != '\0')
        judge_refusal(options, result, &ending->report);
    else if (!ending->report.is_done)
        growth_find(result, CHECK_CRASH, "in round %u the process ended with exit(%d)",
                    ending->report.round, WEXITSTATUS(ending->status));
    return result->outcome == GROWTH_CLEAN;
}

bool growth_measure(const struct growth_options *options, const struct growth_order *order,
                    struct growth_result *result, struct growth_report *ret_report)
{
    struct growth_ending ending;
    struct growth_order own = *order;
    own.is_cancelled = options->is_cancelled;
    result->count = order->count;
    int error = growth_process(options->subject, &own, &ending);
    if (error != 0) {
        skip(result, error == ECANCELED ? "interrupted" : strerror(error));
        result->outcome = GROWTH_NOT_RUN;
        result->error = error == ECANCELED ? 0 : error;
        return false;
    }
    *ret_report = ending.report;
    return judge_ending(options, result, &ending);
}

static bool is_selected(const struct growth_options *options, const struct workload *workload)
{
    for (size_t i = 0; i < options->workload_count; i++)
        if (strcmp(options->workloads[i], workload->job.name) == 0)
            return true;
    return options->workload_count == 0;
}

bool growth_has_band(size_t size)
{
    size_t band = 0;
    while (band < SIZES && sizes[band] != size)
        band++;
    return band < SIZES;
}

static bool is_size_selected(const struct growth_options *options, size_t band)
{
    if (options->size != 0)
        return options->size == sizes[band];
    return !options->is_quick || band % 3 == 0;
}

static void measure(const struct growth_options *options, struct growth_result *result)
{
    if (result->workload->kind == WORKLOAD_FOOTPRINT)
        growth_footprint(options, result);
    else if (result->workload->kind == WORKLOAD_SCALING)
        growth_scaling(options, result);
    else if (result->workload->kind == WORKLOAD_OS_CALLS)
        growth_os_calls(options, result);
    else if (result->workload->kind == WORKLOAD_APPENDS)
        growth_appends(options, result);
    else
        growth_room(options, result);
}

static bool is_death(const struct growth_result *result)
{
    return result->check == CHECK_CRASH || result->check == CHECK_PROGRESS;
}

/* Whether a finding that was seen once shows again. Growth and costs confirm themselves, and what
 * an allocator may choose becomes a note anyway. */
static void confirm(const struct growth_options *options, struct growth_result *result)
{
    if (result->outcome != GROWTH_FINDING || (result->attempts != 0 && !is_death(result)))
        return;
    result->reproduced = result->attempts = 1;
    if (result->is_choice)
        return;
    while (result->attempts < ATTEMPTS) {
        struct growth_result again = {.workload = result->workload, .size = result->size};
        measure(options, &again);
        result->attempts++;
        result->reproduced += again.outcome == GROWTH_FINDING && again.check == result->check;
    }
    if (result->reproduced < (is_death(result) ? ATTEMPTS - 1 : ATTEMPTS))
        result->outcome = GROWTH_NOTE;
}

static int run_workload(const struct growth_options *options, const struct workload *workload,
                        size_t size)
{
    struct growth_result result = {.workload = workload, .size = size, .check = CHECK_COUNT};
    bool is_memory = workload->kind == WORKLOAD_FOOTPRINT || workload->kind == WORKLOAD_ROOM;
    unsigned cost = is_memory ? 0 : NEEDS(flat_cost);
    const char *lacking = job_find_lacking(workload->job.needs | cost, options->subject->offers);
    snprintf(result.site, sizeof result.site, size != 0 ? "%s/%zu" : "%s", workload->job.name,
             size);
    if (options->progress != NULL)
        options->progress(workload, size, options->context);
    if (options->is_over != NULL && options->is_over(options->context)) {
        bool is_cancelled = options->is_cancelled != NULL && options->is_cancelled();
        skip(&result, is_cancelled ? "interrupted" : "the time was over");
        result.outcome = GROWTH_NOT_RUN;
    } else if (lacking != NULL) {
        skip(&result, "not applicable: needs ");
        strncat(result.sentence, lacking, sizeof result.sentence - 32);
    } else {
        measure(options, &result);
        confirm(options, &result);
    }
    if (result.outcome == GROWTH_FINDING && result.is_choice)
        result.outcome = GROWTH_NOTE;
    options->collect(&result, options->context);
    return result.error;
}

int growth_run(const struct growth_options *options)
{
    const struct workload *workload;
    int error = 0;
    for (size_t i = 0; error == 0 && (workload = workloads_at(i)) != NULL; i++) {
        if (!is_selected(options, workload))
            continue;
        if (workload->size_max == 0)
            error = run_workload(options, workload, 0);
        for (size_t j = 0; error == 0 && j < SIZES && sizes[j] <= workload->size_max; j++)
            if (sizes[j] >= workload->size_min && is_size_selected(options, j))
                error = run_workload(options, workload, sizes[j]);
    }
    return error;
}
