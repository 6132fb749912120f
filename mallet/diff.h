/* SPDX-License-Identifier: MIT */
/* The observable contract of one trace on several subjects, and where it differs. Knows nothing of
 * processes or printing. */
#ifndef MALLET_DIFF_H
#define MALLET_DIFF_H

#include "harness/executor/executor.h"

/* What one subject showed. */
struct observation {
    struct executor_info info;
    bool is_clean;
    struct verdict verdict;   /* unless clean */
    struct outcome *outcomes; /* one for each op */
};

enum difference {
    DIFFERENCE_NONE,
    DIFFERENCE_CHOICE, /* the standards leave it open, or it follows from such a choice */
    DIFFERENCE_REAL
};

/* Compares op by op into ret_differences, one for each op. Subjects that lack a function, or
 * stopped before the op, do not take part in it. Returns the number of real differences. */
size_t diff_outcomes(const struct trace *trace, const struct observation *observations,
                     size_t count, enum difference *ret_differences);

/* Not all clean, nor all with a verdict of the same class. */
bool diff_verdicts(const struct observation *observations, size_t count);

/* Whether two of the subjects, both seen to choose, chose differently. */
bool diff_choice(const struct observation *observations, size_t count, enum policy_id id);

#endif
