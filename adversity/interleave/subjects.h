/* SPDX-License-Identifier: MIT */
/* The subjects that are built in: anvil, the planted ones, and what an author links in. */
#ifndef INTERLEAVE_SUBJECTS_H
#define INTERLEAVE_SUBJECTS_H

#include "harness/run/check.h"
#include "interleave.h"

struct planted_bug {
    const char *name, *check, *scenario, *what;
};

/* NULL beyond the last one. */
const struct interleave_subject *subject_at(size_t index);
/* NULL: there is none of that name. */
const struct interleave_subject *subject_find(const char *name);
/* NULL: this subject has no bug on purpose. */
const struct planted_bug *subject_bug(const struct interleave_subject *subject);

#endif
