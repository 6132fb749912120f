/* SPDX-License-Identifier: MIT */
/* Where the project's own traces are, beside the build or installed. */
#ifndef MALLET_SEEDS_H
#define MALLET_SEEDS_H

#include <limits.h>
#include <stdbool.h>

enum { SEEDS_ERROR_MAX = 256 };

/* asked: a folder a person named, or NULL. False, with one sentence in `error`, if there is no text
 * trace in it, or nowhere. */
bool seeds_find(const char *asked, char ret_path[PATH_MAX], char error[SEEDS_ERROR_MAX]);

#endif
