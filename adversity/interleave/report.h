/* SPDX-License-Identifier: MIT */
/* What an exploration found, as text and as JSON (mallet/json.md). */
#ifndef INTERLEAVE_REPORT_H
#define INTERLEAVE_REPORT_H

#include "explore.h"

#include "harness/finding/finding.h"

#include <jansson.h>

/* How it was asked for, to be repeated in the report. */
struct report_request {
    bool is_pct;
    unsigned bound, change_points;
    uint64_t seed, schedules;
};

/* is_known: a baseline expects what was found. */
void report_exploration(const struct explorer *explorer, const struct report_request *request,
                        const struct exploration *exploration, bool is_known);
/* finding NULL: nothing was found. */
json_t *report_exploration_json(const struct explorer *explorer,
                                const struct report_request *request,
                                const struct exploration *exploration,
                                const struct finding *finding);
/* Of an exploration that found something; finding->extra is the caller's. */
struct finding report_make_finding(const struct explorer *explorer,
                                   const struct exploration *exploration);
/* Every step of the last execution, with where threads take turns. */
void report_steps(const struct record *record, bool wants_all);
void report_verdict(const struct verdict *verdict, const uint64_t codes[2], const char *output);

#endif
