/* SPDX-License-Identifier: MIT */
/*
 * --against OLD: the same check of another build first, in a process of its own, and what of the
 * two is new, unchanged or gone. A class (check and site) that OLD showed anywhere is unchanged.
 * Before one is called gone, OLD's own program of it is run on the new build.
 */
#ifndef MALLET_CHECK_AGAINST_H
#define MALLET_CHECK_AGAINST_H

#include "mallet/check_causes.h"
#include "mallet/check_folder.h"

struct check_against {
    const char *old;               /* as typed; NULL: nothing to compare with */
    json_t *document;              /* OLD's check.json */
    struct check_earlier *missing; /* what OLD had and the new build's check did not find */
    size_t missing_count;
};

/* Checks OLD in OUTPUT/against. Returns EXIT_CLEAN, or another status after one sentence. */
int check_against_run(struct check_against *against, const struct check_request *request);
/* Call when the causes are known: tries what is missing again, until `until` by check_now. */
void check_against_compare(struct check_against *against, const struct check_causes *causes,
                           double until);
/* Whether OLD showed none of the cause's classes. */
bool check_against_is_new(const struct check_against *against, const struct check_causes *causes,
                          size_t cause);
/* Of the causes that count. */
size_t check_against_count_new(const struct check_against *against,
                               const struct check_causes *causes);
void check_against_print(const struct check_against *against, const struct check_causes *causes);
/* NULL: nothing to compare with. */
json_t *check_against_json(const struct check_against *against, const struct check_causes *causes);
void check_against_done(struct check_against *against);

#endif
