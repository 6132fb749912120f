/* SPDX-License-Identifier: MIT */
#include "bench/report.h"

#include <unistd.h>

enum { NAME_WIDTH = 12, COLUMN_WIDTH = 11 };

static double percent(double interval)
{
    return (interval - 1) * 100;
}

/* ---- one number ---- */

static void print_cost(FILE *out, enum bench_cost cost, double median, uint64_t operations)
{
    double each = operations > 0 ? median / (double)operations : 0;
    if (cost == BENCH_RSS)
        fprintf(out, "%7.1f MB", median / 1e6);
    else if (each >= 1e6)
        fprintf(out, "%7.1f ms", each / 1e6);
    else if (each >= 1e4)
        fprintf(out, "%7.1f us", each / 1e3);
    else
        fprintf(out, "%7.1f ns", each);
}

static void print_ratio(FILE *out, double ratio, enum results_verdict verdict)
{
    static const char marks[] = {' ', ' ', ' ', '=', '?'}; /* by enum results_verdict */
    char text[24] = "-";
    if (verdict != RESULTS_NONE)
        snprintf(text, sizeof text, "%.2f%c", ratio, marks[verdict]);
    fprintf(out, " %*s", COLUMN_WIDTH, text);
}

/* ---- tables ---- */

static void print_heading(FILE *out, const struct bench *bench, const char *title)
{
    fprintf(out, "\n%-*s %10s %7s", NAME_WIDTH, title, bench->subjects[BENCH_REFERENCE].name,
            "A/A");
    for (size_t s = BENCH_CONTROL + 1; s < bench->subject_count; s++)
        fprintf(out, " %*.*s", COLUMN_WIDTH, COLUMN_WIDTH, bench->subjects[s].name);
    fprintf(out, "\n");
}

static void print_row(FILE *out, const struct bench *bench, const struct results *results, size_t w,
                      enum bench_cost cost)
{
    const struct results_row *row = &results->rows[w];
    fprintf(out, "%-*s ", NAME_WIDTH, bench->workloads[w].name);
    print_cost(out, cost, row->values[BENCH_REFERENCE][cost].median,
               bench_cell_at(bench, w, BENCH_REFERENCE)->operations);
    fprintf(out, " %6.1f%%", percent(row->interval[cost]));
    for (size_t s = BENCH_CONTROL + 1; s < bench->subject_count; s++) {
        const struct results_value *value = &row->values[s][cost];
        if (bench_cell_at(bench, w, s)->failure[0] != '\0')
            fprintf(out, " %*s", COLUMN_WIDTH, "failed");
        else
            print_ratio(out, value->ratio, value->verdict);
    }
    fprintf(out, "\n");
}

static void print_geomean(FILE *out, const struct bench *bench, const struct results *results,
                          enum bench_cost cost)
{
    fprintf(out, "%-*s %10s %6.1f%%", NAME_WIDTH, "geomean", "1", percent(results->interval[cost]));
    for (size_t s = BENCH_CONTROL + 1; s < bench->subject_count; s++)
        print_ratio(out, results->geomean[s][cost], results->verdict[s][cost]);
    fprintf(out, "\n");
}

static void print_behind(FILE *out, const struct bench *bench, const struct results *results,
                         enum bench_cost cost)
{
    fprintf(out, "%-*s %10s %7s", NAME_WIDTH, "> 1.3 best", "", "");
    for (size_t s = BENCH_CONTROL + 1; s < bench->subject_count; s++) {
        unsigned behind = 0;
        for (size_t w = 0; w < bench->workload_count; w++)
            behind += results->rows[w].counts && results_is_behind(bench, results, w, s, cost);
        fprintf(out, " %*u ", COLUMN_WIDTH - 1, behind);
    }
    fprintf(out, "\n");
}

static void print_costs(FILE *out, const struct bench *bench, const struct results *results,
                        enum bench_cost cost, const char *title)
{
    print_heading(out, bench, title);
    for (size_t w = 0; w < bench->workload_count; w++)
        if (results->rows[w].counts)
            print_row(out, bench, results, w, cost);
    print_geomean(out, bench, results, cost);
    print_behind(out, bench, results, cost);
}

/* A plain number for each subject; negative: none. */
typedef double (*cell_number)(const struct bench *bench, const struct results *results, size_t w,
                              size_t s);

/* Resident over requested, where all that is requested is written. */
static double overhead(const struct bench *bench, const struct results *results, size_t w, size_t s)
{
    const struct bench_cell *cell = bench_cell_at(bench, w, s);
    return cell->live_bytes > 0
               ? results->rows[w].values[s][BENCH_RSS].median / (double)cell->live_bytes
               : -1;
}

static double known_count(const struct bench_count *count)
{
    return count->is_known ? count->number : -1;
}

static double instructions(const struct bench *bench, const struct results *results, size_t w,
                           size_t s)
{
    (void)results;
    return known_count(&bench_cell_at(bench, w, s)->counts[BENCH_INSTRUCTIONS]);
}

static double os_calls(const struct bench *bench, const struct results *results, size_t w, size_t s)
{
    (void)results;
    return known_count(&bench_cell_at(bench, w, s)->counts[BENCH_OS_CALLS]);
}

static void print_number(FILE *out, size_t s, double number, int decimals)
{
    char text[24] = "-";
    if (number >= 0)
        snprintf(text, sizeof text, "%.*f", decimals, number);
    fprintf(out, " %*s", s == BENCH_REFERENCE ? 10 : s == BENCH_CONTROL ? 7 : COLUMN_WIDTH, text);
}

/* Rows without a number of the reference are left out. */
static void print_numbers(FILE *out, const struct bench *bench, const struct results *results,
                          const char *title, cell_number number, int decimals)
{
    bool has_heading = false;
    for (size_t w = 0; w < bench->workload_count; w++) {
        if (!results->rows[w].counts || number(bench, results, w, BENCH_REFERENCE) < 0)
            continue;
        if (!has_heading)
            print_heading(out, bench, title);
        has_heading = true;
        fprintf(out, "%-*s", NAME_WIDTH, bench->workloads[w].name);
        for (size_t s = 0; s < bench->subject_count; s++)
            print_number(out, s, number(bench, results, w, s), decimals);
        fprintf(out, "\n");
    }
}

/* ---- what else is to be known ---- */

static void print_failures(FILE *out, const char *workload, const char *subject,
                           const struct bench_cell *cell)
{
    if (cell->failure[0] != '\0')
        fprintf(out, "FAILED   %s on %s: %s\n", workload, subject, cell->failure);
    for (unsigned i = 0; i < BENCH_COUNTERS; i++)
        if (cell->counts[i].failure[0] != '\0')
            fprintf(out, "FAILED   %s on %s, to count: %s\n", workload, subject,
                    cell->counts[i].failure);
}

static void print_left_out(FILE *out, const struct bench *bench, const struct results *results)
{
    for (size_t w = 0; w < bench->workload_count; w++) {
        const struct bench_workload *workload = &bench->workloads[w];
        if (workload->skipped[0] != '\0')
            fprintf(out, "skipped  %s: %s\n", workload->name, workload->skipped);
        else if (!results->rows[w].counts)
            fprintf(out, "not run  %s: not on every subject\n", workload->name);
        for (size_t s = 0; s < bench->subject_count; s++)
            print_failures(out, workload->name, bench->subjects[s].name,
                           bench_cell_at(bench, w, s));
    }
    for (size_t s = 0; s < bench->subject_count; s++)
        if (results->failed[s] > 0)
            fprintf(out, "%s: no geometric mean, since %u workloads failed\n",
                    bench->subjects[s].name, results->failed[s]);
}

static void print_noise(FILE *out, const struct bench *bench, const struct results *results)
{
    fprintf(out,
            "A/A: glibc ran twice; ratios of the two stay within these percents. Within them a "
            "difference is a tie (=).\n");
    if (results->noisy > 0)
        fprintf(out,
                "The machine was too noisy to compare the CPU time of %u of %zu workloads (?)\n",
                results->noisy, results->counted);
    if (results->is_too_noisy)
        fprintf(out,
                "The machine was too noisy to compare CPU time: geometric means of the same "
                "allocator differ by up to %.1f%%\n",
                percent(results->interval[BENCH_CPU]));
    if (bench->scale != 100)
        fprintf(out, "Counts were scaled to %u%%: do not compare these numbers with others\n",
                bench->scale);
}

void report_text(FILE *out, const struct bench *bench, const struct results *results)
{
    fprintf(out,
            "%zu workloads, %u interleaved repeats; %ld processors, load average %.1f; glibc = 1, "
            "less is better\n",
            results->counted, bench->repeats, sysconf(_SC_NPROCESSORS_ONLN), bench->load);
    print_costs(out, bench, results, BENCH_CPU, "CPU time");
    print_costs(out, bench, results, BENCH_RSS, "peak RSS");
    print_numbers(out, bench, results, "RSS/live", overhead, 2);
    print_numbers(out, bench, results, "instructions", instructions, 1);
    print_numbers(out, bench, results, "OS calls", os_calls, 0);
    fprintf(out, "\n");
    print_left_out(out, bench, results);
    print_noise(out, bench, results);
}
