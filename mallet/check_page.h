/* SPDX-License-Identifier: MIT */
/*
 * What a person reads after a check, and the same as a JSON document (json.md). The order is the
 * reader's: the answer, what is wrong, worst first and one entry for each cause, what does not
 * count, what ran.
 */
#ifndef MALLET_CHECK_PAGE_H
#define MALLET_CHECK_PAGE_H

#include "mallet/check_against.h"
#include "mallet/check_causes.h"
#include "mallet/check_folder.h"

enum { CHECK_STEPS_MAX = 16, CHECK_SUMMARY_MAX = 128 };

/* A step, as far as a reader wants to know. */
struct check_line {
    const struct check_step *step;
    enum step_state state;
    bool is_part; /* it ended before it had done all that there was to do */
    double seconds;
    unsigned long done, minimum;
    size_t fresh; /* findings that were new to the check */
    char summary[CHECK_SUMMARY_MAX], sentence[256];
};

struct check_report {
    const struct check_request *request;
    const char *subject; /* short */
    const char *preload; /* the file that puts it under a program; "": there is none */
    struct check_causes causes;
    struct check_folder folder;
    struct check_against against;
    struct check_line lines[CHECK_STEPS_MAX];
    size_t line_count;
    double seconds;
    size_t stale; /* entries of baselines that nothing met */
    int status;
};

/* Whether some step did not get its minimum. */
bool check_is_complete(const struct check_report *check);
void check_print_page(const struct check_report *check);
/* NULL: no memory. */
json_t *check_make_json(const struct check_report *check);

/* The line of the program that makes the call which fails; 0: not known. */
unsigned check_failing_line(const char *program);
/* The command that stops there, beside the program as the page has it compiled. */
enum { CHECK_GDB_MAX = 5000 };
void check_format_gdb(const struct check_cause *cause, const char *preload, char *ret_text,
                      size_t capacity);

/* The calls of its trace as lines of C, no more than ten: the middle of a longer one is left
 * out. */
void check_print_calls(FILE *out, const struct finding *finding);

#endif
