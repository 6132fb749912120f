/* SPDX-License-Identifier: MIT */
/*
 * One picture, as text: above, a point for each subject, CPU from left to right and memory upwards,
 * with the reference at 1 and 1; below, a line for each workload with a point for each subject's
 * CPU ratio on a logarithmic axis, and a grey bar as wide as the A/A interval.
 */
#include "bench/report.h"

#include <math.h>

enum {
    WIDTH = 900,
    LEFT = 140,  /* of the plots: room for names */
    RIGHT = 700, /* room for the legend behind */
    TOP = 50,
    BOTTOM = 350, /* of the upper plot */
    ROWS = 420,   /* where the lines of workloads begin */
    ROW_HEIGHT = 14
};

static const char *const colours[] = {"#888888", "#888888", "#d62728", "#1f77b4", "#2ca02c",
                                      "#ff7f0e", "#9467bd", "#8c564b", "#e377c2", "#17becf"};
enum { COLOURS = sizeof colours / sizeof colours[0] };

static const char *colour_of(size_t subject)
{
    return subject < COLOURS ? colours[subject] : colours[2 + (subject - 2) % (COLOURS - 2)];
}

/* A logarithmic axis from 1/range to range. */
struct axis {
    double start, end, range;
};

static double place(const struct axis *axis, double ratio)
{
    double part = (log(ratio) / log(axis->range) + 1) / 2;
    part = part < 0 ? 0 : part > 1 ? 1 : part;
    return axis->start + (axis->end - axis->start) * part;
}

static void write_text(FILE *out, double x, double y, const char *anchor, const char *text)
{
    fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
    for (; *text != '\0'; text++)
        if (*text == '<' || *text == '>' || *text == '&')
            fprintf(out, "&#%d;", *text);
        else
            fputc(*text, out);
    fprintf(out, "</text>\n");
}

static void write_point(FILE *out, double x, double y, size_t subject, const char *name,
                        const char *where, double ratio)
{
    fprintf(out,
            "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\" fill-opacity=\"0.8\"><title>%s "
            "%s %.3f</title></circle>\n",
            x, y, colour_of(subject), name, where, ratio);
}

static void write_tick(FILE *out, const struct axis *axis, double ratio, double from, double to)
{
    char label[16];
    double x = place(axis, ratio);
    snprintf(label, sizeof label, "%g", ratio);
    fprintf(out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", x, from,
            x, to, ratio == 1 ? "#000" : "#ddd");
    write_text(out, x, to + 14, "middle", label);
}

static void write_level(FILE *out, const struct axis *axis, double ratio)
{
    char label[16];
    double y = place(axis, ratio);
    snprintf(label, sizeof label, "%g", ratio);
    fprintf(out, "<line x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"%s\"/>\n", LEFT, y,
            RIGHT, y, ratio == 1 ? "#000" : "#ddd");
    write_text(out, LEFT - 8, y + 4, "end", label);
}

static void write_means(FILE *out, const struct bench *bench, const struct results *results)
{
    static const double ticks[] = {0.5, 0.7, 1, 1.5, 2};
    const struct axis cpu = {LEFT, RIGHT, 2.2}, rss = {BOTTOM, TOP, 2.2};
    for (size_t i = 0; i < sizeof ticks / sizeof ticks[0]; i++) {
        write_tick(out, &cpu, ticks[i], TOP, BOTTOM);
        write_level(out, &rss, ticks[i]);
    }
    write_text(out, (LEFT + RIGHT) / 2.0, BOTTOM + 32, "middle",
               "CPU time, geometric mean (glibc = 1, less is better)");
    write_text(out, LEFT - 40, TOP - 12, "start", "peak RSS, geometric mean");
    for (size_t s = 0; s < bench->subject_count; s++) {
        const double *mean = results->geomean[s];
        const char *name = bench->subjects[s].name;
        fprintf(out, "<circle cx=\"%d\" cy=\"%zu\" r=\"4\" fill=\"%s\"/>\n", RIGHT + 20,
                TOP + 18 * s, colour_of(s));
        write_text(out, RIGHT + 30, (double)(TOP + 18 * s + 4), "start", name);
        if (mean[BENCH_CPU] > 0)
            write_point(out, place(&cpu, mean[BENCH_CPU]), place(&rss, mean[BENCH_RSS]), s, name,
                        "CPU", mean[BENCH_CPU]);
    }
}

static void write_row(FILE *out, const struct bench *bench, const struct results *results, size_t w,
                      double y, const struct axis *axis)
{
    const struct results_row *row = &results->rows[w];
    double low = place(axis, 1 / row->interval[BENCH_CPU]),
           high = place(axis, row->interval[BENCH_CPU]);
    fprintf(out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"10\" fill=\"#ccc\"/>\n", low,
            y - 5, high - low);
    write_text(out, LEFT - 8, y + 4, "end", bench->workloads[w].name);
    for (size_t s = BENCH_CONTROL + 1; s < bench->subject_count; s++)
        if (row->values[s][BENCH_CPU].ratio > 0)
            write_point(out, place(axis, row->values[s][BENCH_CPU].ratio), y, s,
                        bench->subjects[s].name, bench->workloads[w].name,
                        row->values[s][BENCH_CPU].ratio);
}

static void write_rows(FILE *out, const struct bench *bench, const struct results *results)
{
    static const double ticks[] = {0.125, 0.25, 0.5, 1, 2, 4, 8};
    const struct axis axis = {LEFT, RIGHT, 10};
    int end = ROWS + ROW_HEIGHT * (int)results->counted, y = ROWS;
    for (size_t i = 0; i < sizeof ticks / sizeof ticks[0]; i++)
        write_tick(out, &axis, ticks[i], ROWS - ROW_HEIGHT, end);
    for (size_t w = 0; w < bench->workload_count; w++)
        if (results->rows[w].counts) {
            write_row(out, bench, results, w, y, &axis);
            y += ROW_HEIGHT;
        }
    write_text(out, (LEFT + RIGHT) / 2.0, end + 32, "middle",
               "CPU time in each workload (glibc = 1); grey: the A/A interval");
}

void report_svg(FILE *out, const struct bench *bench, const struct results *results)
{
    int height = ROWS + ROW_HEIGHT * (int)results->counted + 50;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
            "font-family=\"sans-serif\" font-size=\"11\">\n"
            "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
            WIDTH, height);
    write_means(out, bench, results);
    write_rows(out, bench, results);
    fprintf(out, "</svg>\n");
}
