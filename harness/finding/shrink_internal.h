/* SPDX-License-Identifier: MIT */
/* What shrink.c and shrink_op.c share: a candidate is a copy of the best trace so far, changed. */
#ifndef HARNESS_SHRINK_INTERNAL_H
#define HARNESS_SHRINK_INTERNAL_H

#include "harness/finding/reproduce.h"

struct shrink {
    struct executor *executor;
    const struct verdict *class; /* to keep */
    struct trace *best;
    struct trace candidate; /* storage of our own, as large as best */
    struct execution shown; /* by best */
    struct reproduction reproduction;
    unsigned budget; /* executions left */
    unsigned tries;  /* for each candidate */
    int failure;     /* of the machinery: ends everything */
    char *error;
};

/* shrink.c */
/* Makes the candidate equal to the best trace so far. */
void shrink_candidate_begin(struct shrink *shrink);
/* Makes the candidate well-formed, runs it, and keeps it as the best so far if it shows the
 * class. */
bool shrink_candidate_accept(struct shrink *shrink);

/* shrink_op.c: makes each op plainer and its numbers smaller. Returns whether anything changed. */
bool shrink_simplify_ops(struct shrink *shrink);

#endif
