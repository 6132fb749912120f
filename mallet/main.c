/* SPDX-License-Identifier: MIT */
/*
 * mallet: the command that people use. This file owns the table of subcommands; what is common to
 * all of them is harness/cli.
 */
#include "mallet/command.h"

#include <stdio.h>
#include <string.h>

struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct command commands[] = {
    {"check", command_check, "run every test below on one allocator, and print one page"},
    {"grade", command_grade, "check every submission in a folder, and give points by a rubric"},
    {"list", command_list, "list the allocators on this machine, and what each offers"},
    {"replay", command_replay, "run traces on an allocator and check every call"},
    {"fuzz", command_fuzz, "search for traces that break an allocator"},
    {"torture", command_torture, "run threads, forks and signals freely on an allocator"},
    {"conform", command_conform, "test allocators against the clauses of C, POSIX and glibc"},
    {"clauses", command_clauses, "list those clauses, or explain one"},
    {"growth", command_growth,
     "test whether memory stays bounded and costs do not grow with the number of blocks"},
    {"interleave", command_interleave,
     "switch threads inside an allocator's calls, at every atomic and every lock"},
    {"bench", command_bench, "compare the CPU time and the memory of allocators"},
    {"mutants", command_mutants, "test the harness itself on deliberately broken allocators"},
    {"report", command_report, "write a page about what other commands wrote"},
    {"shrink", command_shrink, "make a trace that breaks an allocator as small as possible"},
    {"diff", command_diff, "compare what a caller sees of a trace on several allocators"},
    {"draw", command_draw, "draw the heap after each op of a trace, as SVG"},
    {"corpus", command_corpus, "merge corpora to the few traces that show all behaviour"},
    {"record", command_record, "record the calls of a real program as a trace"},
    {"export", command_export, "write a trace as a standalone C program"},
    {"show", command_show, "print a trace as text"},
    {"encode", command_encode, "write a trace as the bytes that fuzzing engines mutate"},
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static int print_help(void)
{
    printf("Usage: mallet COMMAND [ARGUMENT…]\n"
           "A test harness for malloc.\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-10s  %s\n", commands[i].name, commands[i].summary);
    printf("\n`mallet COMMAND --help` describes a command. SUBJECT is a name that `mallet list` "
           "shows,\nor the path of a shared object.\n\n" CLI_EXIT_STATUSES_FIRST
           "\n" CLI_EXIT_STATUSES_REST "\n");
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
        return refuse("COMMAND is missing; `mallet --help` lists the commands");
    if (is_any(argv[1], "--help", "-h", "help"))
        return print_help();
    if (is_any(argv[1], "--version", "-V", "version")) {
        puts(argp_program_version);
        return EXIT_CLEAN;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return run_command(&commands[i], argc - 1, argv + 1);
    return refuse("unknown command `%s`; `mallet --help` lists the commands", argv[1]);
}

int main(int argc, char **argv)
{
    cli_begin();
    return dispatch(argc, argv);
}
