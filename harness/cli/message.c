/* SPDX-License-Identifier: MIT */
/*
 * How a command ends: sentences on stderr, JSON on stdout, and the check at exit that all of stdout
 * has arrived. The check runs from atexit because argp's --help ends the process by itself.
 */
#include "harness/base/text.h"
#include "harness/cli/cli.h"
#include "harness/cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void check_stdout(void)
{
    int result = output_flush(stdout);
    if (cli_is_unread()) {
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
    if (result == 0)
        return;
    fprintf(stderr, "mallet: cannot write to standard output: %s\n", strerror(result));
    fflush(stderr);
    _Exit(EXIT_REFUSED);
}

/* The number of a closed one would go to the next file that is opened. */
static void fill_standard_descriptors(void)
{
    for (int i = STDIN_FILENO; i <= STDERR_FILENO; i++)
        if (fcntl(i, F_GETFL) < 0)
            (void)open("/dev/null", i == STDERR_FILENO ? O_WRONLY : O_RDONLY);
}

static void refuse_without_output(void)
{
    int flags = fcntl(STDOUT_FILENO, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
        exit(refuse("cannot write to standard output: %s", strerror(EBADF)));
}

void cli_begin(void)
{
    fill_standard_descriptors();
    refuse_without_output();
    cli_catch_broken_pipes();
    argp_program_version = "mallet 0.1.0";
    argp_err_exit_status = EXIT_REFUSED;
    atexit(check_stdout);
}

static void print_sentence(const char *format, va_list arguments)
{
    fflush(stdout);
    if (cli_is_unread())
        return;
    cli_hide_progress();
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

/* Later ones are worse. */
static int badness(int status)
{
    static const int statuses[] = {EXIT_CLEAN,   EXIT_INCOMPLETE, EXIT_FINDINGS,
                                   EXIT_REFUSED, EXIT_INTERNAL,   EXIT_INTERRUPTED};
    enum { COUNT = sizeof statuses / sizeof statuses[0] };
    int i = 0;
    while (i < COUNT && statuses[i] != status)
        i++;
    return i;
}

int cli_worse_status(int left, int right)
{
    return badness(left) >= badness(right) ? left : right;
}

int cli_conclude(size_t findings, const struct cli_work *work)
{
    if (cli_is_interrupted())
        return EXIT_INTERRUPTED;
    if (findings > 0)
        return EXIT_FINDINGS;
    return work->done < work->minimum ? EXIT_INCOMPLETE : EXIT_CLEAN;
}

void cli_add_work(json_t *document, const struct cli_work *work)
{
    json_object_set_new(document, "done", json_integer((json_int_t)work->done));
    json_object_set_new(document, "minimum", json_integer((json_int_t)work->minimum));
    if (cli_is_interrupted())
        json_object_set_new(document, "interrupted", json_true());
}

json_t *cli_json_text(const char *text)
{
    char printable[PATH_MAX];
    text_copy_printable(printable, sizeof printable, text);
    return json_string(printable);
}

int cli_write_json(json_t *document, FILE *out)
{
    if (document == NULL)
        return ENOMEM;
    bool is_whole = json_dumpf(document, out, JSON_INDENT(2)) == 0 || ferror(out) != 0;
    fputc('\n', out);
    json_decref(document);
    return is_whole ? 0 : ENOMEM;
}

int cli_print_json(json_t *document)
{
    bool is_written = cli_write_json(cli_begin_document(document), stdout) == 0;
    return is_written ? EXIT_CLEAN : report_internal_error("no memory for the JSON document");
}
