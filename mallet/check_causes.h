/* SPDX-License-Identifier: MIT */
/*
 * What the steps of a check found, as causes: one for each defect, with the smallest trace and the
 * program that show it.
 *
 *   check_causes_take   the lines that a step wrote, less what a baseline expects
 *   check_causes_find   shrinks one finding of each class to its cause, groups them, saves trace
 *                       and program of each group's headline, and runs the program
 */
#ifndef MALLET_CHECK_CAUSES_H
#define MALLET_CHECK_CAUSES_H

#include "harness/cli/findings.h"
#include "harness/finding/group.h"
#include "mallet/check_run.h"

/* One class in one step. */
struct check_finding {
    const char *step;
    struct finding finding; /* as the step wrote it */
    size_t class;           /* index of the first of the same class */
    size_t cause;           /* index of its cause */
};

struct check_cause {
    struct finding lead;                     /* the headline; its trace is its own */
    const char *step;                        /* that found it */
    char folder[PATH_MAX];                   /* OUTPUT/N */
    char program[PATH_MAX], trace[PATH_MAX]; /* files; "": there is none */
    enum severity severity;                  /* the worst of its members */
    size_t group, members;
    unsigned shown_by_run; /* which run of its program showed it, from 1; 0: not known */
    bool counts;
};

struct check_causes {
    const struct check_request *request;
    struct cli_findings *log;
    const char *subject; /* short */
    struct check_finding *findings;
    size_t finding_count, expected;
    struct check_cause *causes; /* those that count, worst first; then the notes */
    size_t cause_count, note_count;
};

/* Takes what the step wrote down so far. Returns how many findings are new to the check. */
size_t check_causes_take(struct check_causes *causes, const struct check_step *step);
/* How many of those taken so far count, as far as is known: notes do not. */
size_t check_causes_counting(const struct check_causes *causes);
/* Takes what the engine of a campaign that was stopped had saved. */
void check_causes_take_raw(struct check_causes *causes, const struct check_step *step);
/* Takes over one finding that no step made. */
void check_causes_add(struct check_causes *causes, const char *step, struct finding *finding);

/* until: by check_now, when no further work may begin; what is left then stays as it was found. */
void check_causes_find(struct check_causes *causes, double until);
void check_causes_done(struct check_causes *causes);

#endif
