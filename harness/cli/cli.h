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
 * Green means tested: a command counts what it did (struct cli_work), and one that did less than
 * its minimum ends with EXIT_INCOMPLETE, never with EXIT_CLEAN. After Ctrl-C a command finishes
 * what it holds, reports what is known so far, and ends with EXIT_INTERRUPTED.
 *
 * Functions named cli_parse_* are for use in argp parsers: a bad value ends the process with one
 * sentence that names the option and status EXIT_REFUSED. Not thread-safe.
 */
#ifndef HARNESS_CLI_CLI_H
#define HARNESS_CLI_CLI_H

#include "harness/cli/bring.h"

#include <argp.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct cli;

enum cli_exit {
    EXIT_CLEAN = 0,        /* done, nothing found */
    EXIT_FINDINGS = 1,     /* something found that counts */
    EXIT_REFUSED = 2,      /* the request cannot be carried out */
    EXIT_INTERNAL = 3,     /* an error in this project, never one of the subject */
    EXIT_INCOMPLETE = 4,   /* nothing found, and less was done than the minimum */
    EXIT_INTERRUPTED = 130 /* ended by SIGINT or SIGTERM */
};
/* The same, as the end of every --help, which argp wraps. */
#define CLI_EXIT_STATUSES_FIRST \
    "Exit status: 0 nothing found, 1 findings, 2 the request cannot be carried out,"
#define CLI_EXIT_STATUSES_REST \
    "3 an internal error, 4 incomplete: nothing found, but not all was done, 130 interrupted."
#define CLI_EXIT_STATUSES CLI_EXIT_STATUSES_FIRST " " CLI_EXIT_STATUSES_REST

/* Of two statuses the one to end with: 130 before 3 before 2 before 1 before 4 before 0. */
int cli_worse_status(int left, int right);

/* Call first in main. Sets argp's exit status and version, and reports at exit if output could not
 * be written. Ends the process if standard output cannot be written to at all. With nobody left to
 * read its output, the process is interrupted, says nothing more, and ends by SIGPIPE at exit. */
void cli_begin(void);

/* Flush stdout, print "mallet: sentence" to stderr, and return EXIT_REFUSED or EXIT_INTERNAL. */
int refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
int report_internal_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- JSON ---- */

/* Of the contract in mallet/json.md. It rises when a key goes or changes its meaning. */
enum { CLI_DOCUMENT_VERSION = 1 };
/* The kind of this process's documents: the command, as in argv[0]. cli_parse calls it. */
void cli_name_document(const char *command, bool is_list);
/* Puts the head before a document that has none: its kind and version, the tool, date and machine.
 * Takes the reference; returns the whole, or NULL for NULL or without memory. */
json_t *cli_begin_document(json_t *document);
/* Writes it, indented, with a newline, and drops the reference. Returns 0, or ENOMEM if it is NULL
 * or cannot be encoded; that a write failed is known when the stream is flushed. */
int cli_write_json(json_t *document, FILE *out);
/* Prints a document with its head to stdout and drops the reference. NULL: it could not
 * be built. Returns EXIT_CLEAN, or EXIT_INTERNAL after a sentence. */
int cli_print_json(json_t *document);
/* A string of a document: printable ASCII, '?' for any other byte, as in a name of a file. At most
 * PATH_MAX bytes. NULL: no memory. */
json_t *cli_json_text(const char *text);

/* ---- work and interruption ---- */

/* What a command did, in its own unit (traces, clauses, runs), and the least that makes its silence
 * mean something: all that was asked for, unless it searches without end. */
struct cli_work {
    uint64_t done, minimum;
};

/* The status of a command that came to its end with so many findings that count. */
int cli_conclude(size_t findings, const struct cli_work *work);
/* Adds "done" and "minimum" to the command's document, and "interrupted" if it was. */
void cli_add_work(json_t *document, const struct cli_work *work);

/* The work begins. SIGINT and SIGTERM are caught from here on: the command looks at cli_interrupts
 * between two pieces of work. The second signal ends the process at once. */
void cli_catch_interrupts(void);
/* How many there were. */
unsigned cli_interrupts(void);
bool cli_is_interrupted(void);
/* Why a command stops early: "interrupted", or "the time was over". */
const char *cli_why_over(void);
/* From here on a broken pipe is an interrupt if it is that of standard output or standard error,
 * and an error of the call that wrote otherwise. cli_begin calls it. */
void cli_catch_broken_pipes(void);
/* Whether that happened. */
bool cli_is_unread(void);

/* Whether nothing more may begin: after an interrupt, or when the time of --limit, counted from
 * cli_catch_interrupts, is over. With --at-least N its end is put off while less than N was done
 * and nothing was found, so that a slow subject or a busy machine takes longer and is tested all
 * the same. */
bool cli_is_over(const struct cli *cli, uint64_t done, uint64_t found);

/* ---- progress ---- */

/* How far the command is, on stderr: on a terminal over the line before, twice a second at most;
 * elsewhere a line of its own, every ten seconds at most. To be called as often as there is
 * news. */
void cli_show_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Erases the line on a terminal; call it before anything else is printed. */
void cli_hide_progress(void);

/* ---- the terminal ---- */

/* Whether standard output is a terminal on which NO_COLOR and TERM do not forbid colours. */
bool cli_has_colour(void);
/* Columns for a text that has `usual` of them elsewhere: fewer on a narrow terminal. */
unsigned cli_width(int descriptor, unsigned usual);

/* ---- values ---- */

/* A decimal number from min to max, the whole of text. */
unsigned long long cli_parse_number(const char *option, const char *text, unsigned long long min,
                                    unsigned long long max);
/* A time in seconds: 90, 90s, 20m, 8h, 1h30m; from 1 second to CLI_TIME_MAX_S. */
enum { CLI_TIME_MAX_S = 30 * 24 * 3600 };
unsigned cli_parse_time(const char *option, const char *text);
/* Bytes: 65536, 64K, 1M, 2G; up to INT64_MAX. */
uint64_t cli_parse_size(const char *option, const char *text);
/* The index of text among the names; name(i) returns NULL after the last. */
unsigned cli_parse_choice(const char *option, const char *text, const char *(*name)(unsigned i));

/* ---- shared options ---- */

enum {
    CLI_JSON = 1 << 0, /* --json */
    CLI_LIST = 1 << 1, /* --list; no SUBJECT is needed with it */
    /* --baseline FILE and --known FILE, several times; --write-baseline FILE, --findings FILE,
     * --strict, --allow CHECK,CHECK: findings.h */
    CLI_FINDINGS = 1 << 2,
    CLI_LIMIT = 1 << 3,         /* --limit TIME */
    CLI_AT_LEAST = 1 << 9,      /* --at-least N */
    CLI_OUTPUT_FILE = 1 << 4,   /* --output FILE */
    CLI_OUTPUT_FOLDER = 1 << 5, /* --output DIR */
    CLI_SEED = 1 << 6,          /* --seed N */
    CLI_CAPACITY = 1 << 7,      /* --capacity SIZE */
    CLI_JOBS = 1 << 8,          /* --jobs N */
    CLI_SUBJECTS_MAX = 16,
    CLI_BASELINES_MAX = 8,
    CLI_JOBS_MAX = 64
};

/* What one command takes. Texts are for --help; NULL: the usual text. */
struct cli_spec {
    unsigned takes;                      /* CLI_* */
    unsigned subjects_min, subjects_max; /* SUBJECT arguments, at most CLI_SUBJECTS_MAX */
    const char *output_text, *limit_text, *list_text, *jobs_text;
    bool is_fuzzed;         /* a C source is also built with counters that guide a search */
    bool stops_at_argument; /* options after the first argument belong to that argument */
};

/* What was given. */
struct cli {
    const struct cli_spec *spec;
    const char *subject; /* the first one; NULL: none */
    const char *subjects[CLI_SUBJECTS_MAX];
    unsigned subject_count;
    struct bring bring; /* how to build what is no shared object */
    bool as_json, is_list;
    const char *baselines[CLI_BASELINES_MAX];
    unsigned baseline_count;
    const char *write_baseline, *findings; /* NULL: not given */
    bool is_strict;                        /* notes count */
    uint32_t allowed;                      /* bit i: enum check, whose findings are expected */
    bool has_capacity;
    uint64_t capacity;  /* bytes that the subject can serve; 0: no limit */
    const char *output; /* NULL: not given */
    unsigned limit;     /* seconds; 0: none */
    uint64_t at_least;  /* work to be done before the limit ends anything; 0: none */
    unsigned jobs;      /* at most CLI_JOBS_MAX; 0: not given */
    uint64_t seed;      /* 1 if not given */
};

/* Parses a command line with the command's own argp, whose parser gets `input`, and the shared
 * options of spec, which go to ret_cli. A command that takes a SUBJECT takes the options of struct
 * bring too; a subject that has to be built is built here, and is that shared object from then on.
 * The own parser sees each argument first; it returns ARGP_ERR_UNKNOWN for one that is a SUBJECT.
 * Ends the process after --help, after an error, and if --output names what cannot be written. */
void cli_parse(const struct cli_spec *spec, const struct argp *own, int argc, char **argv,
               struct cli *ret_cli, void *input);

#endif
