/* SPDX-License-Identifier: MIT */
/* Starts a program under the recorder library and hands back its log. */
#ifndef MALLET_RECORDER_H
#define MALLET_RECORDER_H

#include "mallet/record_log.h"

#include <stddef.h>

enum { RECORDER_ERROR_MAX = 256 };

struct recording {
    struct record_log *log;
    size_t length; /* of the mapping */
    int status;    /* as waitpid gives it */
};

/* Runs argv[0], found in PATH, to its end. max_records: calls beyond are only counted. Returns 0,
 * or a positive errno with one sentence in `error`; recorder_done unmaps the log. */
int recorder_run(char **argv, size_t max_records, struct recording *ret_recording,
                 char error[RECORDER_ERROR_MAX]);
void recorder_done(struct recording *recording);

#endif
