/* SPDX-License-Identifier: MIT */
/*
 * show, encode, export: read one trace, and write it as text, as bytes, or as a C program. The
 * three commands differ in the function that writes; everything else is convert().
 */
#include "harness/cli/output.h"
#include "harness/finding/finding.h"
#include "harness/program/export.h"
#include "mallet/command.h"
#include "mallet/trace_file.h"

#include <unistd.h>

struct request {
    struct cli cli;
    const char *file;
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
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

static void parse(const char *doc, int argc, char **argv, struct request *ret_request)
{
    static const struct cli_spec spec = {.takes = CLI_OUTPUT_FILE};
    const struct argp argp = {.parser = parse_option, .args_doc = "FILE", .doc = doc};
    ret_request->file = NULL;
    cli_parse(&spec, &argp, argc, argv, &ret_request->cli, ret_request);
}

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
    int result = output_open(&output, request->cli.output, error);
    if (result == 0) {
        write_form(output.file, &trace);
        result = output_close(&output, error);
    }
    trace_file_done(&trace);
    return result == 0 ? EXIT_CLEAN : refuse("%s", error);
}

int command_show(int argc, char **argv)
{
    struct request request;
    parse("Print a trace as text, one op per line. FILE holds text or bytes; - is standard input.",
          argc, argv, &request);
    return convert(&request, trace_write_text);
}

int command_encode(int argc, char **argv)
{
    struct request request;
    parse("Write the canonical bytes of a trace, the form that fuzzing engines mutate. FILE holds "
          "text or bytes; - is standard input.",
          argc, argv, &request);
    if (request.cli.output == NULL && isatty(STDOUT_FILENO))
        return refuse("the bytes of a trace are not for a terminal: use -o FILE, or redirect "
                      "standard output");
    return convert(&request, trace_write_bytes);
}

int command_export(int argc, char **argv)
{
    struct request request;
    parse("Write a standalone C program that makes the calls of a trace, fills and verifies every "
          "block, and exits with status 1 and one line of text if a check fails. Run it with "
          "LD_PRELOAD on any allocator; its first lines say how.",
          argc, argv, &request);
    return convert(&request, write_program);
}
