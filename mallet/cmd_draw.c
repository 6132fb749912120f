/* SPDX-License-Identifier: MIT */
/*
 * draw: a picture of the heap after each op of a trace, as SVG. Runs the trace once and needs
 * nothing of the subject but the addresses that it returned.
 *
 *     op 1   | #0 |
 *     op 2   | #0 |   #1   |
 *     op 3        |   #1   |        one row an op, blocks and the gaps between them to scale
 *
 * Blocks that lie far from all others make a stretch of their own: the space between two stretches
 * is cut out.
 */
#include "harness/base/text.h"
#include "harness/cli/output.h"
#include "harness/executor/executor.h"
#include "mallet/command.h"
#include "mallet/trace_file.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROWS_MAX = 400,
    FAR = 4096, /* bytes between blocks from which on the space between them is cut out */
    LABEL = 250,
    WIDTH = 900,
    ROW = 22,
    BAR = 16,
    CUT = 18,
    MARGIN = 12,
    HEAD = 46
};

struct span {
    uint64_t start, end; /* addresses; equal: nothing */
    double x;            /* of a stretch: where it begins in the picture */
};

struct drawing {
    const struct trace *trace;
    const struct outcome *outcomes;
    const char *subject, *file, *sentence; /* sentence: of a finding, or "" */
    struct span *stretches;
    size_t count;
    double scale;      /* picture units a byte */
    struct span *live; /* by slot */
};

/* ---- stretches ---- */

static struct span block_of(const struct drawing *drawing, size_t op)
{
    const struct outcome *outcome = &drawing->outcomes[op];
    uint64_t size = outcome->size > 0 ? outcome->size : 1;
    return outcome->block == 0
               ? (struct span){0}
               : (struct span){.start = outcome->block, .end = outcome->block + size};
}

static int compare_spans(const void *left, const void *right)
{
    const struct span *a = left, *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

static bool find_stretches(struct drawing *drawing)
{
    struct span *spans = calloc(drawing->trace->count + 1, sizeof *spans);
    size_t found = 0, count = 0;
    if (spans == NULL)
        return false;
    for (size_t i = 0; i < drawing->trace->count; i++) {
        spans[found] = block_of(drawing, i);
        found += spans[found].end > spans[found].start;
    }
    qsort(spans, found, sizeof *spans, compare_spans);
    for (size_t i = 0; i < found; i++) {
        if (count > 0 && spans[i].start <= spans[count - 1].end + FAR) {
            if (spans[i].end > spans[count - 1].end)
                spans[count - 1].end = spans[i].end;
        } else {
            spans[count++] = spans[i];
        }
    }
    drawing->stretches = spans;
    drawing->count = count;
    return true;
}

static void place_stretches(struct drawing *drawing)
{
    double bytes = 0, x = LABEL;
    for (size_t i = 0; i < drawing->count; i++)
        bytes += (double)(drawing->stretches[i].end - drawing->stretches[i].start);
    double cuts = drawing->count > 0 ? (double)CUT * (double)(drawing->count - 1) : 0;
    const double width = WIDTH;
    double room = width - cuts > width / 4 ? width - cuts : width / 4;
    drawing->scale = bytes > 0 ? room / bytes : 1;
    for (size_t i = 0; i < drawing->count; i++) {
        struct span *stretch = &drawing->stretches[i];
        stretch->x = x;
        x += (double)(stretch->end - stretch->start) * drawing->scale + (double)CUT;
    }
}

static double x_of(const struct drawing *drawing, uint64_t address)
{
    size_t i = drawing->count;
    while (i > 1 && drawing->stretches[i - 1].start > address)
        i--;
    const struct span *stretch = &drawing->stretches[i - 1];
    return stretch->x + (double)(address - stretch->start) * drawing->scale;
}

/* ---- the picture ---- */

static void put_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '<' || *text == '&')
            fputs(*text == '<' ? "&lt;" : "&amp;", out);
        else
            fputc(*text, out);
}

static void put_block(FILE *out, const struct drawing *drawing, size_t slot, size_t row,
                      const char *class)
{
    const struct span *block = &drawing->live[slot];
    double x = x_of(drawing, block->start);
    double width = (double)(block->end - block->start) * drawing->scale;
    double y = (double)HEAD + (double)row * (double)ROW;
    width = width < 1 ? 1 : width;
    fprintf(out,
            "<rect class=\"%s\" x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"%d\" "
            "fill=\"hsl(%zu 55%% 62%%)\"><title>#%zu: %llu bytes at 0x%llx</title></rect>\n",
            class, x, y, width, BAR, slot * 67 % 360, slot,
            (unsigned long long)(block->end - block->start), (unsigned long long)block->start);
    if (width >= 22)
        fprintf(out, "<text class=\"slot\" x=\"%.1f\" y=\"%.0f\">#%zu</text>\n", x + width / 2,
                y + (double)BAR - 4, slot);
}

static void put_row(FILE *out, struct drawing *drawing, size_t row)
{
    const struct trace_op *op = &drawing->trace->ops[row];
    unsigned traits = trace_op_traits((enum op_kind)op->kind);
    char text[TRACE_LINE_MAX];
    trace_format_op(op, text);
    fprintf(out, "<text x=\"%d\" y=\"%d\">", MARGIN, HEAD + (int)row * ROW + BAR - 4);
    put_text(out, text);
    fputs("</text>\n", out);
    bool is_freed = (traits & OP_FREES) != 0 && drawing->outcomes[row].ran;
    struct span now = block_of(drawing, row);
    if ((traits & OP_HAS_SIZE) != 0 && now.end > now.start)
        drawing->live[op->slot] = now;
    for (size_t slot = 0; slot < TRACE_SLOTS; slot++)
        if (drawing->live[slot].end > drawing->live[slot].start)
            put_block(out, drawing, slot, row,
                      slot != op->slot || (traits & OP_TAKES_SLOT) == 0 ? "block"
                      : is_freed                                        ? "freed"
                                                                        : "now");
    if (is_freed)
        drawing->live[op->slot] = (struct span){0};
}

static void put_picture(FILE *out, struct drawing *drawing)
{
    size_t rows = drawing->trace->count;
    const double half = (double)CUT / 2;
    int height = HEAD + (int)rows * ROW + 2 * ROW;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\">\n"
            "<style>\nsvg { background: #fff; font: 12px monospace; fill: #222 }\n"
            ".block { stroke: #555; stroke-width: .5 }\n.now { stroke: #000; stroke-width: 2 }\n"
            ".freed { fill: none; stroke: #888; stroke-dasharray: 3 2 }\n"
            ".slot { text-anchor: middle; fill: #000; font-size: 10px }\n.cut { stroke: #999; "
            "stroke-dasharray: 1 3 }\n.wrong { fill: #c00 }\n"
            "@media (prefers-color-scheme: dark) { svg { background: #181818; fill: #ddd } .now { "
            "stroke: #fff } .wrong { fill: #f77 } }\n</style>\n<text x=\"%d\" y=\"20\">",
            LABEL + WIDTH + MARGIN, height, MARGIN);
    put_text(out, drawing->subject);
    fputs(": the heap after each op of ", out);
    put_text(out, drawing->file);
    fputs("; addresses grow to the right, a dotted line is space left out</text>\n", out);
    for (size_t i = 1; i < drawing->count; i++)
        fprintf(out, "<line class=\"cut\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>\n",
                drawing->stretches[i].x - half, drawing->stretches[i].x - half, HEAD - 6,
                height - 2 * ROW);
    for (size_t row = 0; row < rows; row++)
        put_row(out, drawing, row);
    fprintf(out, "<text class=\"wrong\" x=\"%d\" y=\"%d\">", MARGIN, height - ROW / 2);
    put_text(out, drawing->sentence);
    fputs("</text>\n</svg>\n", out);
}

/* ---- the command ---- */

struct request {
    struct cli cli;
    const char *file;
};

static int write_picture(const struct request *request, struct drawing *drawing)
{
    struct output output;
    char error[OUTPUT_ERROR_MAX];
    int result = output_open(&output, request->cli.output, error);
    if (result != 0)
        return refuse("%s", error);
    place_stretches(drawing);
    put_picture(output.file, drawing);
    return output_close(&output, error) == 0 ? EXIT_CLEAN : refuse("%s", error);
}

static int draw(const struct request *request, struct executor *executor, const struct trace *trace)
{
    char error[SUBJECT_ERROR_MAX], sentence[VERDICT_SENTENCE_MAX + 64] = "";
    struct run_options options = executor_thorough(executor, trace->count);
    struct execution execution;
    options.rounds = 0;
    if (executor_run(executor, trace, &options, true, &execution, error) != 0)
        return report_internal_error("%s", error);
    if (!execution.is_clean) {
        snprintf(sentence, sizeof sentence, "%s: %s", check_name(execution.verdict.check),
                 execution.verdict.sentence);
        options.muted = (UINT32_C(1) << CHECK_COUNT) - 1; /* as far as the heap can be trusted */
        if (executor_run(executor, trace, &options, true, &execution, error) != 0)
            return report_internal_error("%s", error);
    }
    struct drawing drawing = {.trace = trace,
                              .outcomes = execution.outcomes,
                              .subject = executor_info(executor)->subject.name,
                              .file = request->file,
                              .sentence = sentence};
    drawing.live = calloc(TRACE_SLOTS, sizeof *drawing.live);
    int status = drawing.live != NULL && find_stretches(&drawing)
                     ? write_picture(request, &drawing)
                     : report_internal_error("no memory for the picture");
    free(drawing.stretches);
    free(drawing.live);
    return status;
}

static int draw_request(const struct request *request)
{
    char error[SUBJECT_ERROR_MAX];
    struct executor *executor;
    struct trace trace;
    int status;
    if (trace_file_read(request->file, &trace, error) != 0)
        return refuse("%s", error);
    if (trace.count > ROWS_MAX) {
        status = refuse("%s: %zu ops are too many for a picture, at most %d", request->file,
                        trace.count, ROWS_MAX);
    } else if (executor_start(&executor, request->cli.subject, NULL, error) != 0) {
        status = refuse("%s", error);
    } else {
        status = draw(request, executor, &trace);
        executor_stop(executor);
    }
    trace_file_done(&trace);
    return status;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct request *request = state->input;
    if (key == ARGP_KEY_ARG && request->file == NULL) {
        request->file = value;
        return 0;
    }
    if (key == ARGP_KEY_END && request->file == NULL)
        argp_error(state, "FILE is missing");
    return ARGP_ERR_UNKNOWN;
}

int command_draw(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .takes = CLI_OUTPUT_FILE, .subjects_min = 1, .subjects_max = 1};
    static const struct argp_option options[] = {{0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "FILE SUBJECT",
        .doc =
            "Draw the heap after each op of a trace, as SVG: blocks and the gaps between them to "
            "scale, by the addresses that the allocator returned. If a check fails, the picture "
            "says so; it ends where the heap can no longer be trusted."};
    struct request request = {0};
    cli_parse(&spec, &argp, argc, argv, &request.cli, &request);
    return draw_request(&request);
}
