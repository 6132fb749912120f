/* SPDX-License-Identifier: MIT */
/*
 * One mutant against the harness: runs a command of mallet on it in a process of its own, and tells
 * whether a finding that counts, of the check or clause that the registry expects, came out.
 *
 * By default the command is the one that is meant to catch it:
 *
 *     trace         fuzz --time BUDGET; of what takes more calls than an engine's inputs have
 *                   (ops, gap), or more cycles (footprint of threads), replay of the corpus, of a
 *                   fault with --fail-os all
 *     growth:W      growth --workload W
 *     torture:S     torture --scenario S --time BUDGET
 *     interleave:S  interleave ID --scenario S
 *     clause        conform --profile all --clause …
 *     load, call    replay of a trace in which it strikes; what cannot be bound is refused; load:B
 *                   with --binding B
 *
 * With a level it is `mallet check` at that level, whole or until the expected finding.
 */
#ifndef MALLET_MUTANT_RUN_H
#define MALLET_MUTANT_RUN_H

#include "mallet/check_steps.h"
#include "mutants/registry.h"

#include <jansson.h>

struct mutant_plan {
    bool is_check; /* `mallet check` at `level`, not the command that is meant */
    enum check_level level;
    bool is_whole;      /* goes on after the expected finding */
    unsigned budget;    /* seconds for the meant command */
    const char *output; /* folder; each mutant has a folder of its own in it */
    const char *corpus; /* folder of traces */
};

struct mutant_score {
    const struct mutant *mutant;
    bool was_run; /* false: no command of this plan reaches it */
    bool is_killed;
    /* the finding that killed it, the first in the order of the steps; "" */
    char step[32], check[64], site[64], sentence[256];
    json_t *steps;          /* names of the steps that showed the expected check */
    size_t findings, notes; /* of a whole check: entries of the page */
    double seconds, cpu_seconds;
    int status; /* exit status; -1: ended at the kill */
};

/* Whether a finding of this check, or of this clause, is what the registry expects of it. */
bool mutant_expects(const struct mutant *mutant, const char *check);
/* Whether it only does what sound allocators do too: shown as a note, which is no kill. */
bool mutant_is_equivalent(const struct mutant *mutant);
/* Whether no command of mallet, or no `mallet check`, is meant to find it: what falls short of a
 * recommendation only; and by a check, what is built for the scheduler, what strikes in one trace
 * only, and what breaks no clause that counts by default. */
bool mutant_is_beyond(const struct mutant *mutant, bool is_check);

/* Returns 0, or a positive errno with one sentence: the command could not be run. */
int mutant_run(const struct mutant_plan *plan, const struct mutant *mutant,
               struct mutant_score *ret_score, char *ret_error, size_t capacity);
void mutant_score_done(struct mutant_score *score);

#endif
