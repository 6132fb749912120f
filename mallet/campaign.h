/* SPDX-License-Identifier: MIT */
/*
 * A fuzz campaign: an engine works on one subject for a while, then every class of finding is
 * shrunk, reproduced, exported and saved.
 *
 *   DIR/seeds/       the text corpus as bytes                  DIR/findings/<check>-<site>/
 *                    trace.trace, program.c, finding.json
 *   DIR/corpus/      what the engine keeps, as bytes           DIR/summary.json
 *   DIR/raw/         first trace of each class, statistics     DIR/engine.log
 *   DIR/progress.tsv the numbers over time                    DIR/index.html
 *   DIR/artifacts/   inputs on which the engine itself died    DIR/afl/    AFL++'s own files,
 *                                                             unless --sync names another folder
 *
 * A second campaign in the same DIR goes on from its corpus and keeps its findings.
 */
#ifndef MALLET_CAMPAIGN_H
#define MALLET_CAMPAIGN_H

#include "harness/cli/findings.h"

#include <stdbool.h>

enum campaign_engine { ENGINE_LIBFUZZER, ENGINE_AFL };
enum campaign_build { BUILD_ANY, BUILD_PLAIN, BUILD_SANITIZER };

struct campaign_options {
    const char *subject; /* as subject_resolve takes it */
    enum campaign_engine engine;
    /* ANY: with a sanitizer for anvil, if there is such a build, plain for others */
    enum campaign_build build;
    const char *output; /* NULL: mallet-report/<subject>-<engine> */
    const char *corpus; /* folder of text traces; NULL: the project's own seeds */
    /* folder that AFL++'s instances share, those of other campaigns and hosts too; NULL: DIR/afl */
    const char *sync;
    unsigned seconds;  /* of the engine; triage comes on top */
    uint64_t runs;     /* the engine ends after so many, or a few more; 0: no limit */
    uint64_t at_least; /* runs before the time ends anything; 0: none */
    unsigned jobs;     /* at least 1 */
    unsigned max_ops;  /* in one input, about */
    bool is_json;      /* summary on stdout as JSON */
    struct cli_findings *findings;
};

/* Runs it, with a progress line on stderr and the summary on stdout. Returns 0 (no findings but
 * expected ones), 1 (findings), or 2 after one sentence on stderr: it could not be started, or the
 * engine would not run. SIGINT and SIGTERM end it in order, with triage and summary. */
int campaign_run(const struct campaign_options *options);

#endif
