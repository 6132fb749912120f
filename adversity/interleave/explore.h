/* SPDX-License-Identifier: MIT */
/*
 * Searching the schedules of one scenario on one subject for one that fails.
 *
 * exhaustive: all schedules with no pre-emption, then with one, and so on up to a bound; the first
 * that fails has the fewest possible. pct: threads get random priorities, which change at a few
 * random steps (probabilistic concurrency testing, Burckhardt et al. 2010); for scenarios too long
 * to exhaust. What it finds is shrunk to fewer pre-emptions.
 */
#ifndef INTERLEAVE_EXPLORE_H
#define INTERLEAVE_EXPLORE_H

#include "record.h"
#include "story.h"

struct explorer {
    const struct interleave_subject *subject;
    const struct scenario *scenario;
    size_t size;
    struct record *record;
    int output;          /* file that the code's stderr goes to */
    uint64_t executions; /* so far */
    /* asked between two executions: whether to end the search. NULL: never */
    bool (*is_over)(void);
};

struct exploration {
    /* none: the number of schedules ran out. is_stopped: by is_over of the explorer */
    bool is_found, is_exhausted, is_stopped;
    unsigned bound;     /* exhaustive: the last one that was tried */
    uint64_t schedules; /* executions until it was found or all was done */
    /* exhaustive: schedules of the last bound, with everything shared known */
    uint64_t last_round;
    uint32_t branches_most, steps_most;
    double seconds;
    /* if found: */
    struct schedule schedule;
    struct verdict verdict;
    unsigned preemptions, attempts, reproduced;
    uint64_t codes[2];
    char output[OUTPUT_MAX];
};

/* 0, or a positive errno. The explorer is used by one thread. */
int explorer_init(struct explorer *explorer);
void explorer_done(struct explorer *explorer);

/* Another story: what its threads share is not known yet. */
void explorer_forget_places(struct explorer *explorer);
/* Runs the one execution that record->strategy and what belongs to it asks for; the result is in
 * the record. */
void explorer_execute(struct explorer *explorer);
/* The same for a schedule. True: it failed. */
bool explorer_follow(struct explorer *explorer, const struct schedule *schedule, bool wants_events);

void explore_exhaustively(struct explorer *explorer, unsigned bound, uint64_t schedules_max,
                          struct exploration *ret_exploration);
void explore_by_priorities(struct explorer *explorer, unsigned change_points,
                           uint64_t schedules_max, uint64_t seed,
                           struct exploration *ret_exploration);

/* Text of a schedule, "12:2,31:1"; "default" if there is no decision. parse: false, and a
 * sentence. */
void schedule_print(const struct schedule *schedule, char ret_text[SCHEDULE_TEXT_MAX]);
bool schedule_parse(const char *text, struct schedule *ret_schedule,
                    char error[VERDICT_SENTENCE_MAX]);

/* For the explorers. */
bool explorer_is_stopped(const struct explorer *explorer);
bool exploration_is_over(const struct explorer *explorer, struct exploration *exploration,
                         uint64_t schedules_max);
void exploration_note(struct explorer *explorer, struct exploration *exploration);
void exploration_keep(struct explorer *explorer, struct exploration *exploration);
void exploration_confirm(struct explorer *explorer, struct exploration *exploration);

#endif
