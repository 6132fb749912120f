/* SPDX-License-Identifier: MIT */
/*
 * What the parts of `mallet replay` share: cmd_replay.c reads the request, goes over the files and
 * sums up; replay_trace.c runs one trace; replay_faults.c runs it once for each OS call that may
 * fail.
 *
 * Breadth comes first. All files are checked once before any is repeated in cycles, and all are
 * repeated before those whose growth takes many cycles to judge get them. No violation hides
 * another: a trace that fails is run again with that class muted (a check at a
 * function), until it shows nothing new; where a call does not return, without that call. A class
 * is printed for the first CLASS_FINDINGS traces that show it, and muted from the start in all
 * others.
 *
 * Functions return an exit status, having said why if it is EXIT_REFUSED or EXIT_INTERNAL.
 */
#ifndef MALLET_REPLAY_H
#define MALLET_REPLAY_H

#include "harness/cli/cli.h"
#include "harness/cli/findings.h"

#include <time.h>

enum { CLASS_FINDINGS = 2, CLASSES_MAX = 256 };

struct replay_request {
    struct cli cli;
    char **paths; /* files and folders */
    size_t path_count;
    enum subject_binding binding;
    bool has_rounds, is_strict, is_fuzz_fill, is_cost;
    uint32_t rounds;
    bool is_failing_os, has_fail_pairs;
    uint32_t fail_os;  /* 0: all */
    uint32_t fail_max; /* faults of one trace; 0: no limit of its own */
    uint32_t deals;    /* 0: as they are */
};

struct replay_class {
    struct verdict verdict; /* only check and site matter */
    unsigned found;
};

/* What a trace showed so far. */
struct replay_file {
    const char *path;
    bool has_finding; /* printed with it */
    bool shows_again; /* what other traces showed */
    /* The cycles of the last pass grew memory like a leak, and were too few to tell. */
    bool has_open_growth;
};

enum replay_pass {
    PASS_CHECK,
    PASS_CYCLES, /* as many as a trace without growth needs */
    PASS_GROWTH  /* for those with open growth: as many as can be afforded */
};

struct replay {
    const struct replay_request *request;
    struct executor *executor;
    struct cli_findings findings;
    enum replay_pass pass;
    struct replay_file *files, *file; /* file: the one at hand */
    size_t file_index, file_count;    /* those that were not checked are none in later passes */
    struct replay_class classes[CLASSES_MAX];
    size_t class_count;
    size_t passed, failed, counting, expected, not_run, not_cycled, again, open;
    size_t faults, faults_left_out, failed_calls[OS_CALL_COUNT]; /* --fail-os */
    size_t most_os_calls;                                        /* of a trace */
    json_t *list;                                                /* NULL unless --json */
};

/* cmd_replay.c: how far it is; called before each run. */
void replay_show_progress(const struct replay *replay);
/* Whether its time is over. */
bool replay_is_over(const struct replay *replay);

/* replay_trace.c */
struct run_options replay_options(const struct replay *replay, const struct trace *trace);
int replay_trace(struct replay *replay, const struct trace *trace);
/* The same, dealt out to threads in request->deals ways. */
int replay_dealt(struct replay *replay, const struct trace *trace);
/* Runs a trace until it shows nothing new and prints what it does show; is_fault: with the OS calls
 * that failed. The execution is that of the last run, which is not clean if it ended at something
 * that cannot be muted. */
int replay_for_classes(struct replay *replay, const struct trace *trace, bool is_watched,
                       bool is_fault, struct execution *ret_execution);

/* replay_faults.c */
int replay_faults(struct replay *replay, const struct trace *trace);
/* The kinds and numbers of OS calls: "2 mmap, 1 munmap". */
void replay_print_calls(const size_t counts[OS_CALL_COUNT]);

#endif
