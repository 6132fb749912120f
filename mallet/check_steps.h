/* SPDX-License-Identifier: MIT */
/*
 * The steps of `mallet check`, registered once: which command each runs at which level, and what it
 * leaves out there. A step is another command of mallet in a process of its own, so that none can
 * take the others with it, and so that a person can run it again alone.
 */
#ifndef MALLET_CHECK_STEPS_H
#define MALLET_CHECK_STEPS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum check_level { LEVEL_QUICK, LEVEL_DEFAULT, LEVEL_THOROUGH, LEVEL_COUNT };

/*
 * Words of a command stand separated by blanks. $S: the subject; $C: the folder of traces; $O: a
 * folder for the step's own output; $T:N: seconds until the step's time is over, no more than N.
 * `?limit` becomes --limit with that time, where there is a limit. Every step gets the baselines,
 * and --findings.
 */
struct check_step {
    const char *name;
    const char *what;                  /* it does, for people */
    const char *commands[LEVEL_COUNT]; /* NULL: not at this level */
    const char *left_out[LEVEL_COUNT]; /* what of it is not done there; NULL: nothing */
    /* of the limit, in percent; of what is left, in proportion */
    unsigned share[LEVEL_COUNT];
    bool is_anvils; /* only for the allocator whose source is here */
    /* what the step did, in a few words ("57 traces"), by the document that it printed */
    void (*describe)(const json_t *document, char *ret_text, size_t capacity);
};

void check_describe_clauses(const json_t *document, char *ret_text, size_t capacity);
void check_describe_traces(const json_t *document, char *ret_text, size_t capacity);
void check_describe_refusals(const json_t *document, char *ret_text, size_t capacity);
void check_describe_interleavings(const json_t *document, char *ret_text, size_t capacity);
void check_describe_growth(const json_t *document, char *ret_text, size_t capacity);
void check_describe_campaign(const json_t *document, char *ret_text, size_t capacity);
void check_describe_torture(const json_t *document, char *ret_text, size_t capacity);

/* Step i, in order; NULL beyond the last. */
const struct check_step *check_step_at(size_t i);
const char *check_level_name(enum check_level level);
/* What part of the time that is left may go to this step, so that the later ones keep their shares
 * in proportion. */
double check_step_part(const struct check_step *step, enum check_level level);
/* Seconds that a check of this level takes at most; 0: as long as it takes. */
unsigned check_level_limit(enum check_level level);

#endif
