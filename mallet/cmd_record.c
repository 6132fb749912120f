/* SPDX-License-Identifier: MIT */
/*
 * record: run a program and write its calls of the malloc family as a trace. recorder.h runs it
 * with a preloaded library that logs each call; record_convert.h turns addresses into slots; the
 * file is written here.
 */
#include "harness/cli/output.h"
#include "mallet/command.h"
#include "mallet/record_convert.h"
#include "mallet/recorder.h"
#include "mallet/trace_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

struct request {
    struct cli cli;
    size_t max_ops;
    char **program; /* and its arguments, NULL at the end */
};

/* A call takes up to two records; the rest is for calls that other threads make at the end. */
enum { RECORDS_AN_OP = 2, RECORDS_EXTRA = 1024 };

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case 'n':
        request->max_ops = (size_t)cli_parse_number("--max-ops", value, 1, TRACE_OPS_MAX);
        return 0;
    case ARGP_KEY_ARG:
        request->program = &state->argv[state->next - 1];
        state->next = state->argc; /* the rest is the program's */
        return 0;
    case ARGP_KEY_END:
        if (request->program == NULL)
            argp_error(state, "COMMAND is missing");
        if (request->cli.output == NULL)
            argp_error(state, "-o FILE is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool is_bytes_file(const char *path)
{
    size_t length = strlen(path);
    return length >= 4 && strcmp(path + length - 4, ".bin") == 0;
}

/* A command line may hold anything; a comment is one printable line. */
static void write_command(FILE *out, char **program)
{
    fputs("# recorded:", out);
    for (size_t i = 0; program[i] != NULL; i++) {
        fputc(' ', out);
        for (const char *letter = program[i]; *letter != '\0'; letter++)
            fputc(*letter >= ' ' && *letter <= '~' ? *letter : '?', out);
    }
    fputc('\n', out);
}

static void write_trace(FILE *out, const struct request *request, const struct trace *trace,
                        const struct record_summary *summary)
{
    if (is_bytes_file(request->cli.output)) {
        trace_write_bytes(out, trace);
        return;
    }
    write_command(out, request->program);
    fprintf(out, "# ops: %zu, most live at once: %zu bytes in %zu blocks, threads: %zu\n",
            trace->count, summary->peak_size, summary->peak_blocks, summary->threads);
    if (summary->unknown > 0 || summary->missed > 0)
        fprintf(out,
                "# left out: %zu calls on blocks from before the recorder, %zu calls for want of "
                "room\n",
                summary->unknown, summary->missed);
    trace_write_text(out, trace);
}

static void report_end(const struct request *request, const struct trace *trace, int status)
{
    const char *how = WIFSIGNALED(status) ? "was killed by signal" : "exited with status";
    fprintf(stderr, "mallet: `%s` %s %d; %zu ops in %s\n", request->program[0], how,
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), trace->count,
            request->cli.output);
}

static int save(const struct request *request, const struct recording *recording,
                struct trace *trace)
{
    struct record_summary summary;
    struct output output;
    char error[OUTPUT_ERROR_MAX];
    if (record_convert(recording->log, trace, &summary) != 0)
        return report_internal_error("no memory for the conversion");
    if (trace->count == 0)
        return refuse("`%s` made no call that the recorder could see: it is linked statically, "
                      "brings its own malloc, or has none to make",
                      request->program[0]);
    int result = output_open(&output, request->cli.output, error);
    if (result == 0) {
        write_trace(output.file, request, trace, &summary);
        result = output_close(&output, error);
    }
    if (result != 0)
        return refuse("%s", error);
    report_end(request, trace, recording->status);
    return EXIT_CLEAN;
}

int command_record(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .takes = CLI_OUTPUT_FILE,
        .output_text = "Write the trace to FILE: as bytes if its name ends in .bin, else as text",
        .stops_at_argument = true};
    static const struct argp_option options[] = {
        {"max-ops", 'n', "N", 0,
         "Record at most N ops (default and maximum: 1048576); the program is not stopped", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "-- COMMAND [ARGUMENT…]",
        .doc = "Run a dynamically linked program and write its calls of the malloc family as a "
               "trace. Only the process itself is recorded, not its children. Its exit status is "
               "reported on standard error."};
    struct request request = {.max_ops = TRACE_OPS_MAX};
    cli_parse(&spec, &argp, argc, argv, &request.cli, &request);
    struct recording recording;
    char error[RECORDER_ERROR_MAX];
    if (recorder_run(request.program, request.max_ops * RECORDS_AN_OP + RECORDS_EXTRA, &recording,
                     error) != 0)
        return refuse("%s", error);
    struct trace trace = {.capacity = request.max_ops + RECORD_CONVERT_SLACK};
    trace.ops = calloc(trace.capacity, sizeof *trace.ops);
    int result = trace.ops == NULL ? report_internal_error("no memory for %zu ops", request.max_ops)
                                   : save(&request, &recording, &trace);
    free(trace.ops);
    recorder_done(&recording);
    return result;
}
