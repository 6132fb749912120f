/* SPDX-License-Identifier: MIT */
/*
 * The steps of `mallet check`, registered once: which command each runs at which level, for how
 * long at most, and the least that it must have done for its silence to mean something. A step is
 * another command of mallet in a process of its own, so that none can take the others with it, and
 * so that a person can run it again alone.
 */
#ifndef MALLET_CHECK_STEPS_H
#define MALLET_CHECK_STEPS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum check_level { LEVEL_QUICK, LEVEL_DEFAULT, LEVEL_THOROUGH, LEVEL_COUNT };

/*
 * Words of a command stand separated by blanks. $S: the subject; $C: the folder of traces; $O: a
 * folder for the step's own output; $T: the step's seconds. `?limit` becomes --limit with the
 * step's seconds, where it has some. Every step gets the baselines, the options that all commands
 * share, and --findings.
 */
struct check_step {
    const char *name;
    const char *what;                  /* it does, for people */
    const char *unit;                  /* of `done`: "traces" */
    const char *commands[LEVEL_COUNT]; /* NULL: not at this level */
    const char *left_out[LEVEL_COUNT]; /* what of it is not done there; NULL: nothing */
    /* On an idle machine; a busy one gives more. 0: as long as it takes. Sums up to twice the time
     * of the level, which two processors need. */
    unsigned seconds[LEVEL_COUNT];
    /* of `done`: with less the check is incomplete. No more than the command's own minimum. */
    unsigned long minimum[LEVEL_COUNT];
    unsigned needs;      /* bits that a subject must offer: see subject_offers */
    const char *why_not; /* is it not run on a subject that does not */
    bool is_anvils;      /* only for the allocator whose source is here */
    /* a second number of the document, to be summed up over `list` if that is not NULL, and its
     * unit; NULL: none */
    const char *list, *key, *key_unit;
};

/* Step i, in the order in which they begin: what finds most in the least time comes first. NULL
 * beyond the last. */
const struct check_step *check_step_at(size_t i);
const char *check_level_name(enum check_level level);
/* Seconds that a check of this level takes at most on an idle machine; 0: as long as it takes. */
unsigned check_level_limit(enum check_level level);

/* What the step did, in its unit, by the document that it printed; NULL: nothing. */
unsigned long check_step_done(const json_t *document);
/* The least that it must have done: the level's, or all that there was to do. */
unsigned long check_step_minimum(const struct check_step *step, enum check_level level,
                                 const json_t *document);
/* Whether it ended before it had done all that there was to do. */
bool check_step_is_part(const json_t *document);
/* "57 traces, 408 refused OS calls"; "57 of 60 traces", if it ended early. */
void check_step_describe(const struct check_step *step, const json_t *document, char *ret_text,
                         size_t capacity);

#endif
