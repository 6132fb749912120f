/* SPDX-License-Identifier: MIT */
/*
 * Known findings: defects of allocators as shipped, each confirmed by hand, which a gate passes
 * over while everything else still fails it. A text file, one `SUBJECT CHECK SITE` a line; SUBJECT
 * and SITE are shell patterns, of the subject's short name and of the function; `#` starts a
 * comment line.
 */
#ifndef MALLET_KNOWN_H
#define MALLET_KNOWN_H

#include "harness/run/check.h"

#include <stdbool.h>
#include <stddef.h>

enum { KNOWN_ERROR_MAX = 512 };

struct known {
    struct known_entry *entries;
    size_t count;
};

/* Returns 0, or a positive errno with one sentence that names the file and the line. known_done
 * frees either way. */
int known_read(struct known *ret_known, const char *path, char error[KNOWN_ERROR_MAX]);
void known_done(struct known *known);
bool known_has(const struct known *known, const char *subject, const struct verdict *verdict);

#endif
