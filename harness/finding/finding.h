/* SPDX-License-Identifier: MIT */
/*
 * A finding: what a command holds against a subject, as it goes to people, into JSON (json.md) and
 * into a baseline. Engines measure in structs of their own, `struct verdict` first of all, and make
 * a finding of what they accuse the subject of.
 *
 * A finding that no fresh process repeats, or whose own program was run and does not show it, is a
 * note: reported below the findings, without effect on the exit status. A confirmation that could
 * not be made (no compiler, no time) never makes a note of a finding.
 *
 *   finding.c          makes one of a verdict; counts k of n
 *   reproduce.c        shows the class of a verdict again, with a trace
 *   shrink.c           makes the trace small; shrink_list.c is the delta debugger, shrink_op.c
 *                      makes ops plainer
 *   group.c            which findings have one cause
 *   baseline.c         which findings are expected
 *   finding_json.c     reads and writes findings as JSON; a library of its own, for it takes
 *                      jansson
 */
#ifndef HARNESS_FINDING_H
#define HARNESS_FINDING_H

#include "harness/executor/executor.h"

#include <stdio.h>

enum {
    FINDING_SUBJECT_MAX = 128,
    FINDING_CHECK_MAX = 64,
    FINDING_SITE_MAX = 64,
    FINDING_SENTENCE_MAX = 480,
    FINDING_OUTPUT_MAX = 256
};

/* Whether the finding's own program, which knows nothing of the harness, shows it too. */
enum confirmation {
    CONFIRM_UNKNOWN, /* not run, or not to its end; or it dies or hangs on the libc too */
    CONFIRM_NO,
    CONFIRM_YES
};

/* All text is printable ASCII. */
struct finding {
    char subject[FINDING_SUBJECT_MAX]; /* its short name */
    char check[FINDING_CHECK_MAX];     /* the name of a check, or the id of a clause */
    /* the function at fault, torture/SCENARIO, growth/WORKLOAD; of a clause: `fail` or `error`.
     * check and site together are the class of a finding */
    char site[FINDING_SITE_MAX];
    char sentence[FINDING_SENTENCE_MAX]; /* what went wrong, with numbers */
    char output[FINDING_OUTPUT_MAX];     /* first line that the subject printed before it died */
    uint32_t op;                         /* index in the trace, or VERDICT_NO_OP */
    uint32_t cycle;                      /* of the trace, that shows it, as in its verdict */
    unsigned reproduced, attempts;       /* k of n, a fresh process each; 0 of 0: not tried */
    enum subject_binding binding;        /* of those processes; BIND_AUTO: not known */
    enum confirmation confirmed;         /* by its program, which preloads the subject */
    const char *note;                    /* why it is a note, for a reason of the engine; or NULL */
    struct trace trace;                  /* that shows it; storage of the caller; may be empty */
    const char *program;                 /* text or path of a C program that shows it; NULL: none */
    const char *expected;                /* why a baseline expects it; NULL: it does not */
    struct json_t *extra;                /* further keys of its JSON object; NULL: none */
};

/* What the verdict says of the subject; output may be "". Foreign text is made printable. */
void finding_make(struct finding *ret_finding, const char *subject, const struct verdict *verdict,
                  const char *output);
/* What finding_make was given; of a finding that is about a clause the check is CHECK_COUNT. */
struct verdict finding_verdict(const struct finding *finding);
/* Whether a sentence tells of a process that the subject ended by exit: it gave up, for want of
 * memory, say, which is not how damage ends one. */
bool finding_is_exit(const char *sentence);
/* Whether it is about a clause of a standard, not about a check. */
bool finding_is_clause(const struct finding *finding);
/* Why it is a note, as half a sentence: "no fresh process repeats it". NULL: it is none. */
const char *finding_note(const struct finding *finding);

/* One run in a fresh process. Returns 0 and whether the class showed, or a positive errno: the
 * machinery failed, and the count ends. */
typedef int finding_trial(void *context, bool *ret_shows);
/* k of n: how many of so many trials showed the class. Returns as the trial. */
int finding_count(finding_trial *trial, void *context, unsigned attempts, unsigned *ret_shown);

/* Same class: same check at the same site. */
bool verdict_is_same(const struct verdict *left, const struct verdict *right);
/* Growth from cycle to cycle, with OS failures or without. */
bool verdict_is_growth(const struct verdict *verdict);

/* Makes of the trace what a run on this subject makes of it: ops whose function the subject lacks
 * go, for a program would call the libc's, and a sized free without its function is a plain one.
 * op: of a verdict, goes with its op; may be NULL. */
void shrink_drop_lacking(const struct executor *executor, struct trace *trace, uint32_t *op);

/* Shrinks trace in place, first by the ops whose function the subject lacks, then over ops and
 * operands while it shows a verdict of the same class in a fresh process. budget: executions at
 * most; 0: 3000. Returns 0 and the verdict of the shrunk trace, or a positive errno as
 * executor_run. Cancelled, it returns 0 with what it has, once the class has shown in a fresh
 * process. */
int shrink_trace(struct executor *executor, struct trace *trace, const struct verdict *verdict,
                 unsigned budget, struct execution *ret_execution, char error[SUBJECT_ERROR_MAX]);

/* The same while it shows any check of the verdict's family (check_family) at any site: what one
 * defect does in many ways comes to the same few ops. */
int shrink_to_cause(struct executor *executor, struct trace *trace, const struct verdict *verdict,
                    unsigned budget, struct execution *ret_execution,
                    char error[SUBJECT_ERROR_MAX]);

/* Replays finding->trace in `attempts` fresh processes, counts the verdicts of the same class into
 * finding->reproduced, and keeps what the subject printed. */
int finding_reproduce(struct executor *executor, struct finding *finding, unsigned attempts,
                      char error[SUBJECT_ERROR_MAX]);

#endif
