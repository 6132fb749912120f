/* SPDX-License-Identifier: MIT */
/* What the files of the runner share: growth.c goes through the workloads, growth_footprint.c and
 * growth_scaling.c through one of them. */
#ifndef GROWTH_INTERNAL_H
#define GROWTH_INTERNAL_H

#include "adversity/growth/growth.h"

enum { ATTEMPTS = 3 };

/* Runs a workload once. Returns true if the report is whole; else the result says why not: a
 * finding, or skipped. */
bool growth_measure(const struct growth_options *options, const struct growth_order *order,
                    struct growth_result *result, struct growth_report *ret_report);

void growth_find(struct growth_result *result, enum check check, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Not run: the subject is too slow for so many rounds. */
void growth_leave_out(struct growth_result *result, unsigned rounds, unsigned cpu_seconds);

/* Each runs and judges a workload; result has workload, site and size. */
void growth_footprint(const struct growth_options *options, struct growth_result *result);
void growth_scaling(const struct growth_options *options, struct growth_result *result);
void growth_appends(const struct growth_options *options, struct growth_result *result);
void growth_room(const struct growth_options *options, struct growth_result *result);
void growth_os_calls(const struct growth_options *options, struct growth_result *result);

#endif
