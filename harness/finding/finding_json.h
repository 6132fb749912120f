/* SPDX-License-Identifier: MIT */
/* A finding as a JSON object: the one reader and the one writer. mallet/json.md documents the
 * form. */
#ifndef HARNESS_FINDING_JSON_H
#define HARNESS_FINDING_JSON_H

#include "harness/finding/finding.h"

#include <jansson.h>

/* A new reference; NULL: no memory. Keys of finding->extra stand beside the others, or in their
 * place. */
json_t *finding_to_json(const struct finding *finding);

/* Reads what finding_to_json wrote; the trace stays text, in `extra`. False: the value is no
 * finding. A finding that was read holds memory until finding_done. */
bool finding_from_json(struct finding *ret_finding, const json_t *value);
void finding_done(struct finding *finding);

/* Writes a line that holds the finding, at once. Returns 0, or ENOMEM. */
int finding_write_line(FILE *out, const struct finding *finding);

/* The findings in a file of such lines, one for each class: of several the one that was tried most
 * often, then the first. Lines that are no findings, such as one that a killed process left
 * unfinished, are left out. NULL and 0: there are none. To be released by finding_list_done. */
struct finding *finding_read_lines(FILE *file, size_t *ret_count);
void finding_list_done(struct finding *findings, size_t count);

#endif
