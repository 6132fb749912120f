/* SPDX-License-Identifier: MIT */
#include "bench/counters.h"

#include "bench/launch.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* In the bench's folder, which is the current one of every run. */
#define TOOL_OUTPUT "counts"

static const char valgrind_log[] = "--log-file=" TOOL_OUTPUT;
static const char *const valgrind[] = {"/usr/bin/valgrind", "--tool=cachegrind",
                                       "--cache-sim=no",    "--cachegrind-out-file=/dev/null",
                                       valgrind_log,        NULL};
static const char *const strace[] = {"/usr/bin/strace",
                                     "-fqq",
                                     "-o",
                                     TOOL_OUTPUT,
                                     "-e",
                                     "trace=mmap,munmap,mremap,madvise,mprotect,brk",
                                     NULL};
static const char *const *const tools[BENCH_COUNTERS] = {valgrind, strace};

bool counters_has_tool(enum bench_counter counter, const char **ret_tool)
{
    *ret_tool = tools[counter][0];
    return access(tools[counter][0], X_OK) == 0;
}

static bool is_group(const struct bench_workload *workload, const char *group)
{
    return strcmp(workload->group, group) == 0;
}

bool counters_apply(enum bench_counter counter, const struct bench_workload *workload)
{
    return workload->skipped[0] == '\0' &&
           (counter == BENCH_OS_CALLS || is_group(workload, "pairs") ||
            is_group(workload, "growth") || is_group(workload, "traces"));
}

/* ---- what the tools write ---- */

static double count_lines(FILE *file)
{
    double lines = 0;
    for (int byte; (byte = fgetc(file)) != EOF;)
        lines += byte == '\n';
    return lines;
}

/* The line "==1== I   refs:      1,551,383"; 0: there is none. */
static double find_instructions(FILE *file)
{
    char line[256];
    double number = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        const char *digits = strstr(line, " refs:");
        for (; digits != NULL && *digits != '\0'; digits++)
            if (isdigit((unsigned char)*digits))
                number = number * 10 + (*digits - '0');
    }
    return number;
}

static double read_count(const struct bench *bench, enum bench_counter counter)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%.3800s/" TOOL_OUTPUT, bench->folder);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    double number = counter == BENCH_INSTRUCTIONS ? find_instructions(file) : count_lines(file);
    fclose(file);
    unlink(path);
    return number;
}

/* ---- runs ---- */

static int run_under(struct bench *bench, enum bench_counter counter, struct launch_order *order,
                     double *ret_number, uint64_t *ret_operations, struct bench_count *count,
                     char error[SUBJECT_ERROR_MAX])
{
    struct bench_answer answer;
    order->tool = tools[counter];
    int result = launch_run(bench, order, &answer, count->failure, error);
    *ret_number = read_count(bench, counter);
    *ret_operations = answer.operations;
    if (result != 0 || count->failure[0] != '\0')
        return result;
    if (*ret_number <= 0)
        snprintf(count->failure, sizeof count->failure, "%s wrote no count", tools[counter][0]);
    bench->done++;
    return 0;
}

/* A whole period of the workload, so that twice as much is the same work twice. */
static uint64_t few(const struct bench_workload *workload)
{
    enum { PAIRS = 20000, REALLOCS = 16384, PASSES = 2 };
    uint64_t most = strcmp(workload->kind, "append") == 0  ? REALLOCS
                    : strcmp(workload->kind, "trace") == 0 ? PASSES
                                                           : PAIRS;
    return workload->count < most ? workload->count : most;
}

static int count_instructions(struct bench *bench, struct launch_order *order,
                              struct bench_count *count, char error[SUBJECT_ERROR_MAX])
{
    double numbers[2] = {0};
    uint64_t operations[2] = {0};
    for (unsigned i = 0; i < 2 && count->failure[0] == '\0'; i++) {
        order->count = few(order->workload) << i;
        int result =
            run_under(bench, BENCH_INSTRUCTIONS, order, &numbers[i], &operations[i], count, error);
        if (result != 0)
            return result;
    }
    count->is_known = count->failure[0] == '\0' && operations[1] > operations[0];
    if (count->is_known)
        count->number = (numbers[1] - numbers[0]) / (double)(operations[1] - operations[0]);
    return 0;
}

static int count_os_calls(struct bench *bench, struct launch_order *order,
                          struct bench_count *count, char error[SUBJECT_ERROR_MAX])
{
    uint64_t operations;
    order->count = bench_scaled_count(bench, order->workload);
    int result = run_under(bench, BENCH_OS_CALLS, order, &count->number, &operations, count, error);
    count->is_known = result == 0 && count->failure[0] == '\0';
    return result;
}

static int count_cell(struct bench *bench, enum bench_counter counter, size_t w, size_t s,
                      char error[SUBJECT_ERROR_MAX])
{
    struct bench_cell *cell = bench_cell_at(bench, w, s);
    struct launch_order order = {.workload = &bench->workloads[w], .subject = &bench->subjects[s]};
    if (cell->failure[0] != '\0' || bench_is_cancelled(bench))
        return 0;
    if (bench->report != NULL)
        bench->report(bench, &bench->workloads[w]);
    int result = counter == BENCH_INSTRUCTIONS
                     ? count_instructions(bench, &order, &cell->counts[counter], error)
                     : count_os_calls(bench, &order, &cell->counts[counter], error);
    return result == ECANCELED ? 0 : result;
}

static int for_each_count(struct bench *bench, enum bench_counter counter,
                          char error[SUBJECT_ERROR_MAX])
{
    for (size_t w = 0; w < bench->workload_count; w++)
        for (size_t s = 0; s < bench->subject_count; s++) {
            int result = counters_apply(counter, &bench->workloads[w])
                             ? count_cell(bench, counter, w, s, error)
                             : 0;
            if (result != 0)
                return result;
        }
    return 0;
}

uint64_t counters_runs(const struct bench *bench)
{
    static const unsigned runs_each[BENCH_COUNTERS] = {2, 1};
    uint64_t runs = 0;
    for (unsigned counter = 0; counter < BENCH_COUNTERS; counter++)
        for (size_t w = 0; w < bench->workload_count && bench->wants_count[counter]; w++)
            if (counters_apply((enum bench_counter)counter, &bench->workloads[w]))
                runs += runs_each[counter] * bench->subject_count;
    return runs;
}

int counters_run(struct bench *bench, char error[SUBJECT_ERROR_MAX])
{
    int result = 0;
    for (unsigned counter = 0; counter < BENCH_COUNTERS && result == 0; counter++)
        if (bench->wants_count[counter])
            result = for_each_count(bench, (enum bench_counter)counter, error);
    return result;
}
