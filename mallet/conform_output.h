/* SPDX-License-Identifier: MIT */
/* What `mallet conform` writes: the report, a C program for each failure, and the totals for
 * people. */
#ifndef MALLET_CONFORM_OUTPUT_H
#define MALLET_CONFORM_OUTPUT_H

#include "conformance/report_formats.h"

struct conform_outputs {
    const struct conform_format *format;
    const char *path;     /* of the report; NULL: standard output */
    const char *programs; /* an existing folder; NULL: none are written */
};

/* Both return EXIT_CLEAN, or print one sentence and return its status. The first checks that the
 * second can open the files, and changes nothing. */
int conform_outputs_check(const struct conform_outputs *outputs);
int conform_outputs_write(const struct conform_outputs *outputs,
                          const struct conform_report *report, const struct baseline *baseline);

#endif
