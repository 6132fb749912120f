/* SPDX-License-Identifier: MIT */
/* Findings as people and programs read them: a block of text, a JSON object (json.md), or a folder
 * of files. */
#ifndef MALLET_REPORT_H
#define MALLET_REPORT_H

#include "harness/cli/findings.h"

#include <jansson.h>
#include <stdio.h>

enum { REPORT_ERROR_MAX = 256 };

/* What went wrong: check, op as text with its index, sentence, the subject's own last words. */
void report_verdict(FILE *out, const struct finding *finding);
/* The verdict, the shrunk trace, the C program, and how often it reproduced. */
void report_finding(FILE *out, const struct finding *finding);

/* The C program of its trace, to be freed; NULL: no memory. */
char *report_finding_program(const struct finding *finding);
/* A new reference, with the program's text, which is made where the finding has none; NULL only when
 * memory is short. */
json_t *report_finding_json(const struct finding *finding);
/* cli_findings_add with the program's text, likewise. */
bool report_add_finding(struct cli_findings *findings, struct finding *finding);

/* The finding as a text trace with a header of comments: what was found, on what, how often. */
void report_write_trace(FILE *out, const struct finding *finding);

/* Writes folder/CHECK-SITE/trace.trace, program.c and finding.json, each whole or not at all;
 * folder must be there. Returns 0, or a positive errno with one sentence in `error`. */
int report_save(const char *folder, const struct finding *finding, char error[REPORT_ERROR_MAX]);
/* Writes finding.json anew, of a finding that is saved. */
int report_save_json(const char *folder, const struct finding *finding,
                     char error[REPORT_ERROR_MAX]);

#endif
