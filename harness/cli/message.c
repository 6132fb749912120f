/* SPDX-License-Identifier: MIT */
/*
 * How a command ends: sentences on stderr, JSON on stdout, and the check at exit that all of stdout
 * has arrived. The check runs from atexit because argp's --help ends the process by itself.
 */
#include "harness/cli/cli.h"
#include "harness/cli/output.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_stdout(void)
{
    int result = output_flush(stdout);
    if (result == 0)
        return;
    fprintf(stderr, "mallet: cannot write to standard output: %s\n", strerror(result));
    fflush(stderr);
    _Exit(EXIT_REFUSED);
}

void cli_begin(void)
{
    signal(SIGPIPE, SIG_IGN);
    argp_program_version = "mallet 0.1.0";
    argp_err_exit_status = EXIT_REFUSED;
    atexit(check_stdout);
}

static void print_sentence(const char *format, va_list arguments)
{
    fflush(stdout);
    fputs("mallet: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

int refuse(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_sentence(format, arguments);
    va_end(arguments);
    return EXIT_REFUSED;
}

int report_internal_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_sentence(format, arguments);
    va_end(arguments);
    return EXIT_INTERNAL;
}

int cli_print_json(json_t *document)
{
    if (document == NULL)
        return report_internal_error("no memory for the JSON document");
    /* a failed write is reported when stdout is flushed at exit */
    bool is_whole = json_dumpf(document, stdout, JSON_INDENT(2)) == 0 || ferror(stdout) != 0;
    putchar('\n');
    json_decref(document);
    return is_whole ? EXIT_CLEAN : report_internal_error("cannot encode the JSON document");
}
