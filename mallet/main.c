/* SPDX-License-Identifier: MIT */
/*
 * mallet: the command people use. This file owns the table of subcommands and what must be right
 * for all of them: the exit statuses, and that no output is lost without a word.
 */
#include "mallet/command.h"
#include "mallet/output.h"

#include <argp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "0.1.0"

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct command commands[] = {
    {"check", command_check, "everything below on one allocator, in one page"},
    {"list", command_list, "the allocators found on this machine, and what each offers"},
    {"replay", command_replay, "run traces on an allocator and check every call"},
    {"fuzz", command_fuzz, "search for traces that break an allocator"},
    {"torture", command_torture, "free-running threads, forks and signals on an allocator"},
    {"conform", command_conform,
     "put the clauses of C, POSIX and glibc to an allocator, or several"},
    {"clauses", command_clauses, "list those clauses, or explain one"},
    {"growth", command_growth,
     "whether memory stays bounded and costs do not grow with the number of blocks"},
    {"interleave", command_interleave,
     "switch between threads inside an allocator's calls, at every atomic and lock"},
    {"shrink", command_shrink, "make a trace that breaks an allocator as small as possible"},
    {"diff", command_diff, "what a caller sees of a trace on several allocators, side by side"},
    {"record", command_record, "the calls of a real program as a trace"},
    {"export", command_export, "a trace as a standalone C program"},
    {"show", command_show, "a trace as text"},
    {"encode", command_encode, "a trace as the bytes that fuzzing engines mutate"},
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static int print_help(void)
{
    printf("Usage: mallet COMMAND [ARGUMENT…]\n"
           "A test harness that hits a malloc until it breaks, or until you may trust it.\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-10s  %s\n", commands[i].name, commands[i].summary);
    printf("\n`mallet COMMAND --help` says more. SUBJECT is a name that `mallet list` shows, or "
           "the path of a shared object.\n"
           "Exit status: 0 clean, 1 findings, 2 the request cannot be carried out, 3 an internal "
           "error.\n");
    return EXIT_CLEAN;
}

static bool is_any(const char *word, const char *first, const char *second, const char *third)
{
    return strcmp(word, first) == 0 || strcmp(word, second) == 0 || strcmp(word, third) == 0;
}

static int run_command(const struct command *command, int argc, char **argv)
{
    char name[64];
    snprintf(name, sizeof name, "mallet %s", command->name);
    argv[0] = name;
    return command->run(argc, argv);
}

static int dispatch(int argc, char **argv)
{
    if (argc < 2)
        return refuse("which command? `mallet --help` lists them");
    if (is_any(argv[1], "--help", "-h", "help"))
        return print_help();
    if (is_any(argv[1], "--version", "-V", "version")) {
        puts("mallet " VERSION);
        return EXIT_CLEAN;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return run_command(&commands[i], argc - 1, argv + 1);
    return refuse("unknown command `%s`; `mallet --help` lists them", argv[1]);
}

/* Runs at exit too, because argp's --help ends the process by itself. */
static void check_stdout(void)
{
    int result = output_flush(stdout);
    if (result == 0)
        return;
    fprintf(stderr, "mallet: cannot write to standard output: %s\n", strerror(result));
    fflush(stderr);
    _Exit(EXIT_REFUSED);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN); /* a broken pipe is a write error with a sentence, as any other */
    argp_err_exit_status = EXIT_REFUSED;
    argp_program_version = "mallet " VERSION;
    atexit(check_stdout);
    return dispatch(argc, argv);
}
