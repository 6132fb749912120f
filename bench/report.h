/* SPDX-License-Identifier: MIT */
/* The forms that the results of a bench are written in. Failures to write show in ferror(out). */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "bench/results.h"

#include <jansson.h>
#include <stdio.h>

/* A table for people. */
void report_text(FILE *out, const struct bench *bench, const struct results *results);
/* The document that mallet/json.md describes; the caller owns it. */
json_t *report_json(const struct bench *bench, const struct results *results);
/* A plot: each subject's CPU and memory, and its ratio in each workload. */
void report_svg(FILE *out, const struct bench *bench, const struct results *results);

#endif
