/* SPDX-License-Identifier: MIT */
/*
 * The subcommands of `mallet`, one cmd_*.c each. A command gets its own name as argv[0]
 * ("mallet show"), parses its options with cli_parse, and returns an exit status (enum cli_exit). A
 * request that cannot be carried out ends with one sentence on stderr that names the file, line or
 * option and the reason.
 */
#ifndef MALLET_COMMAND_H
#define MALLET_COMMAND_H

#include "harness/cli/cli.h"

int command_check(int argc, char **argv);
int command_grade(int argc, char **argv);
int command_corpus(int argc, char **argv);
int command_draw(int argc, char **argv);
int command_list(int argc, char **argv);
int command_show(int argc, char **argv);
int command_encode(int argc, char **argv);
int command_export(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_diff(int argc, char **argv);
int command_shrink(int argc, char **argv);
int command_record(int argc, char **argv);
int command_fuzz(int argc, char **argv);
int command_conform(int argc, char **argv);
int command_torture(int argc, char **argv);
int command_clauses(int argc, char **argv);
int command_growth(int argc, char **argv);
int command_bench(int argc, char **argv);
int command_mutants(int argc, char **argv);
int command_report(int argc, char **argv);
int command_interleave(int argc, char **argv);

#endif
