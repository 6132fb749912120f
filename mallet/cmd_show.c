/* SPDX-License-Identifier: MIT */
/* show, encode, export: one trace in, another form of it out. */
#include "harness/finding/finding.h"
#include "mallet/command.h"
#include "mallet/output.h"
#include "mallet/trace_file.h"

#include <argp.h>
#include <stdbool.h>
#include <unistd.h>

struct request {
    const char *file, *output;
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case 'o':
        request->output = value;
        return 0;
    case ARGP_KEY_ARG:
        if (request->file != NULL)
            argp_error(state, "one FILE only, not also `%s`", value);
        request->file = value;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "FILE is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option options[] = {
    {"output", 'o', "OUT", 0, "Write to this file instead of standard output", 0},
    {0},
};

static void write_program(FILE *out, const struct trace *trace)
{
    export_program(out, trace, NULL);
}

static int convert(const struct request *request,
                   void (*write_form)(FILE *out, const struct trace *trace))
{
    struct trace trace;
    struct output output;
    char error[TRACE_FILE_ERROR_MAX];
    if (trace_file_read(request->file, &trace, error) != 0)
        return refuse("%s", error);
    int result = output_open(&output, request->output, error);
    if (result == 0) {
        write_form(output.file, &trace);
        result = output_close(&output, error);
    }
    trace_file_done(&trace);
    return result == 0 ? EXIT_CLEAN : refuse("%s", error);
}

int command_show(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "FILE",
        .doc =
            "Print a trace as text, one op a line. FILE holds text or bytes; - is standard input."};
    struct request request = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &request);
    return convert(&request, trace_write_text);
}

int command_encode(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "FILE",
        .doc = "Write the canonical bytes of a trace, the form that fuzzing engines mutate. FILE "
               "holds text or bytes; - is standard input."};
    struct request request = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &request);
    if (request.output == NULL && isatty(STDOUT_FILENO))
        return refuse("these are bytes, not for a terminal: give -o OUT, or redirect");
    return convert(&request, trace_write_bytes);
}

int command_export(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "FILE",
        .doc = "Write a standalone C program that makes the calls of a trace, fills and verifies "
               "every block, and exits 1 with one line "
               "when something is wrong. To be run with LD_PRELOAD on any allocator; its first "
               "lines say how."};
    struct request request = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &request);
    return convert(&request, write_program);
}
