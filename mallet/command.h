/* SPDX-License-Identifier: MIT */
/*
 * What the subcommands of `mallet` share: their signature, the exit statuses, and the one way to
 * refuse a request.
 *
 * Each command gets its own name as argv[0] ("mallet show"), parses its options with argp and
 * returns an exit status. A request that cannot be carried out ends with one sentence on stderr
 * that names the file, line or option and the reason.
 */
#ifndef MALLET_COMMAND_H
#define MALLET_COMMAND_H

#include "harness/subject/subject_plan.h"

enum {
    EXIT_CLEAN = 0,    /* done, nothing found */
    EXIT_FINDINGS = 1, /* done, something found */
    EXIT_REFUSED = 2,  /* the request cannot be carried out */
    EXIT_INTERNAL = 3  /* our own fault */
};

int command_check(int argc, char **argv);
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
int command_interleave(int argc, char **argv);

/* Print "mallet: sentence" to stderr and return EXIT_REFUSED or EXIT_INTERNAL. */
int refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
int report_internal_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Parses the whole of text as a decimal number of at most `max` for the option of that name; ends
 * the process with a sentence if it is none. For use in argp parsers. */
unsigned long long parse_number(const char *option, const char *text, unsigned long long max);
/* The same for a time: 90, 90s, 15m, 8h, more than nothing. Returns seconds. */
enum { TIME_MAX_S = 30 * 24 * 3600 };
unsigned parse_time(const char *option, const char *text);
/* The same for the value of --binding. */
enum subject_binding parse_binding(const char *text);

#endif
