/* SPDX-License-Identifier: MIT */
/* The options struct: text to fields, fields to something complete. anvil_options_parse is the
 * public face. */
#ifndef ANVIL_OPTIONS_H
#define ANVIL_OPTIONS_H

#include "anvil.h"

/* Parses one item and moves *rest behind it and its comma. Returns 0, or EINVAL with one sentence
 * in `error` and *options untouched. */
int options_parse_item(const char **rest, struct anvil_options *options, char *error,
                       size_t error_size);
/* Fills in the defaults. Returns false if the fields contradict each other. */
bool options_complete(struct anvil_options *options);

#endif
