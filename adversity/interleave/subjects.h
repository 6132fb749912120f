/* SPDX-License-Identifier: MIT */
/* The subjects that are built in: anvil, the mutants, and what an author links in. */
#ifndef INTERLEAVE_SUBJECTS_H
#define INTERLEAVE_SUBJECTS_H

#include "harness/run/check.h"
#include "interleave.h"
#include "mutants/registry.h"

/* NULL beyond the last one. */
const struct interleave_subject *subject_at(size_t index);
/* NULL: there is none of that name. */
const struct interleave_subject *subject_find(const char *name);
/* NULL: this subject is no mutant. Else who must catch it: a scenario, and the check. */
const struct mutant *subject_mutant(const struct interleave_subject *subject,
                                    struct mutant_catch *ret_catch);

#endif
