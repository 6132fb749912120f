/* SPDX-License-Identifier: MIT */
/* What a probe is and what it can answer. Shared by the probes and the gate. */
#ifndef CONFORMANCE_OUTCOME_H
#define CONFORMANCE_OUTCOME_H

#include "harness/job/job.h"

#include <stdbool.h>
#include <stddef.h>

enum probe_outcome {
    OUTCOME_NONE,     /* not yet: the probe died, or still runs */
    OUTCOME_PASS,     /* the requirement holds */
    OUTCOME_FAIL,     /* it does not */
    OUTCOME_WEAK,     /* it holds in a weaker reading only */
    OUTCOME_RECORDED, /* a choice, within what is permitted */
    /* undefined use was noticed without a death: the call failed, or memory stayed sound */
    OUTCOME_DETECTED,
    OUTCOME_LATE,           /* undefined use was noticed, but by a later call */
    OUTCOME_SILENT,         /* undefined use went unnoticed */
    OUTCOME_NOT_APPLICABLE, /* the subject lacks the function */
    OUTCOME_UNSUPPORTED,    /* this environment cannot put the question */
    OUTCOME_COUNT
};

/* Where a probe must run. */
enum probe_place {
    PLACE_CALLS,   /* anywhere: only the function table matters */
    PLACE_PROCESS, /* in a process whose malloc, libc's own calls included, is the subject */
    PLACE_EITHER   /* in such a process, or anywhere if the subject cannot serve one */
};

struct probe {
    struct job job;      /* its name is its function's */
    const char *clauses; /* ids that it answers, separated by blanks */
    const char *file;
    enum probe_place place;
    enum probe_outcome (*ask)(void);
};

/* The probes that answer clauses; NULL beyond the last. */
const struct probe *probes_at(size_t i);
bool probe_answers(const struct probe *probe, const char *clause);
/* The probe that answers a clause; NULL: none does. */
const struct probe *probes_find(const char *clause);

/* Bytes of an evidence sentence, its zero included. */
enum { EVIDENCE_MAX = 480 };

#endif
