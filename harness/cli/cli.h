/* SPDX-License-Identifier: MIT */
/*
 * The command line, for every command of `mallet` and for mallet-interleave: exit statuses, the
 * sentence that ends a bad request, the options that mean the same everywhere, and the forms of
 * their values.
 *
 * A command declares what it takes of the shared options (struct cli_spec) and keeps an argp of its
 * own for the rest. An option that it does not take is unknown to argp, as any other word. Where
 * both have the same short or long name, the command's own option wins.
 *
 * Functions named cli_parse_* are for use in argp parsers: a bad value ends the process with one
 * sentence that names the option and status EXIT_REFUSED. Not thread-safe.
 */
#ifndef HARNESS_CLI_CLI_H
#define HARNESS_CLI_CLI_H

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum cli_exit {
    EXIT_CLEAN = 0,    /* done, nothing found */
    EXIT_FINDINGS = 1, /* done, something found */
    EXIT_REFUSED = 2,  /* the request cannot be carried out */
    EXIT_INTERNAL = 3  /* an error in this project */
};

/* Call first in main. Sets argp's exit status and version, turns a broken pipe into a write error,
 * and reports at exit if output could not be written. */
void cli_begin(void);

/* Flush stdout, print "mallet: sentence" to stderr, and return EXIT_REFUSED or EXIT_INTERNAL. */
int refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
int report_internal_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints a document to stdout and drops the reference. NULL stands for a document that could not be
 * built. Returns EXIT_CLEAN, or EXIT_INTERNAL after a sentence. */
int cli_print_json(json_t *document);

/* ---- values ---- */

/* A decimal number from min to max, the whole of text. */
unsigned long long cli_parse_number(const char *option, const char *text, unsigned long long min,
                                    unsigned long long max);
/* A time in seconds: 90, 90s, 20m, 8h, 1h30m; from 1 second to CLI_TIME_MAX_S. */
enum { CLI_TIME_MAX_S = 30 * 24 * 3600 };
unsigned cli_parse_time(const char *option, const char *text);
/* The index of text among the names; name(i) returns NULL after the last. */
unsigned cli_parse_choice(const char *option, const char *text, const char *(*name)(unsigned i));

/* ---- shared options ---- */

enum {
    CLI_JSON = 1 << 0, /* --json */
    CLI_LIST = 1 << 1, /* --list; no SUBJECT is needed with it */
    /* --baseline FILE and --known FILE, several times; --write-baseline FILE, --findings FILE:
     * findings.h */
    CLI_FINDINGS = 1 << 2,
    CLI_LIMIT = 1 << 3,         /* --limit TIME */
    CLI_OUTPUT_FILE = 1 << 4,   /* --output FILE */
    CLI_OUTPUT_FOLDER = 1 << 5, /* --output DIR */
    CLI_SEED = 1 << 6,          /* --seed N */
    CLI_SUBJECTS_MAX = 16,
    CLI_BASELINES_MAX = 8
};

/* What one command takes. Texts are for --help; NULL: the usual text. */
struct cli_spec {
    unsigned takes;                      /* CLI_* */
    unsigned subjects_min, subjects_max; /* SUBJECT arguments, at most CLI_SUBJECTS_MAX */
    const char *output_text, *limit_text, *list_text;
    bool stops_at_argument; /* options after the first argument belong to that argument */
};

/* What was given. */
struct cli {
    const struct cli_spec *spec;
    const char *subject; /* the first one; NULL: none */
    const char *subjects[CLI_SUBJECTS_MAX];
    unsigned subject_count;
    bool as_json, is_list;
    const char *baselines[CLI_BASELINES_MAX];
    unsigned baseline_count;
    const char *write_baseline, *findings; /* NULL: not given */
    const char *output;                    /* NULL: not given */
    unsigned limit;                        /* seconds; 0: none */
    uint64_t seed;                         /* 1 if not given */
};

/* Parses a command line with the command's own argp, whose parser gets `input`, and the shared
 * options of spec, which go to ret_cli. The own parser sees each argument first; it returns
 * ARGP_ERR_UNKNOWN for one that is a SUBJECT. Ends the process after --help and after an error. */
void cli_parse(const struct cli_spec *spec, const struct argp *own, int argc, char **argv,
               struct cli *ret_cli, void *input);

#endif
