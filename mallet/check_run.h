/* SPDX-License-Identifier: MIT */
/* Runs a step of `mallet check`, and reads what it printed. */
#ifndef MALLET_CHECK_RUN_H
#define MALLET_CHECK_RUN_H

#include "harness/finding/finding_json.h"
#include "mallet/check_steps.h"

#include <jansson.h>
#include <limits.h>

struct check_request {
    const char *subject, *corpus, *output; /* output: the folder for everything */
    const char *const *baselines;          /* files */
    unsigned baseline_count;
    enum check_level level;
    unsigned limit; /* seconds for all steps; 0: none */
    double end;     /* by check_now; 0: none */
};

struct check_result {
    const struct check_step *step;
    /* as the command's; EXIT_INTERNAL also when it was killed or its output is no JSON */
    int status;
    double seconds;
    json_t *document;   /* what it printed; NULL: nothing that can be read */
    char sentence[256]; /* its last line on stderr, or why it has no document; "" */
};

/* Seconds of a clock that nobody sets. */
double check_now(void);
/* Runs it in a process, which is stopped at the request's end: the status is EXIT_REFUSED then, and
 * there is no document. */
void check_run(const struct check_request *request, const struct check_step *step,
               struct check_result *ret_result);
void check_result_done(struct check_result *result);

/* The file that a step writes its findings to, a line each, as it finds them. */
void check_findings_path(const struct check_request *request, const struct check_step *step,
                         char ret_path[PATH_MAX]);
/* What the step found so far, one of each class; of a step that was stopped, too. To be released by
 * finding_list_done. */
struct finding *check_findings(const struct check_request *request, const struct check_step *step,
                               size_t *ret_count);

#endif
