/* SPDX-License-Identifier: MIT */
/*
 * What the parts of `mallet replay` share: cmd_replay.c reads the request and sums up,
 * replay_trace.c runs one trace, replay_faults.c runs it once for each OS call that may fail.
 * Functions return an exit status, having said why if it is EXIT_REFUSED or EXIT_INTERNAL.
 */
#ifndef MALLET_REPLAY_H
#define MALLET_REPLAY_H

#include "harness/cli/cli.h"
#include "harness/cli/findings.h"

#include <time.h>

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

struct replay {
    const struct replay_request *request;
    struct executor *executor;
    struct cli_findings findings;
    time_t end; /* by the limit; 0: none */
    size_t passed, failed, passed_over, not_run;
    size_t faults, faults_left_out, failed_calls[OS_CALL_COUNT]; /* --fail-os */
    json_t *list;                                                /* NULL unless --json */
};

/* replay_trace.c */
struct run_options replay_options(const struct replay *replay, const struct trace *trace);
int replay_trace(struct replay *replay, const char *path, const struct trace *trace);
/* The same, dealt out to threads in request->deals ways. */
int replay_dealt(struct replay *replay, const char *path, const struct trace *trace);
/* Runs a trace past what is known: a known finding is muted, and the trace run again for what else
 * it may show. 0, or an errno with a sentence. */
int replay_past_known(struct replay *replay, const struct trace *trace, struct run_options *options,
                      struct execution *ret_execution, char error[SUBJECT_ERROR_MAX]);
/* Counts the verdicts of the same class in a few more runs. 0, or an errno with a sentence. */
int replay_count_reproduced(struct replay *replay, const struct run_options *options,
                            struct finding *finding, char error[SUBJECT_ERROR_MAX]);
/* failures: of OS calls, on demand; NULL: none. */
void replay_print_finding(struct replay *replay, const char *path, struct finding *finding,
                          const struct os_call_counts *failures);

/* replay_faults.c */
int replay_faults(struct replay *replay, const char *path, const struct trace *trace);
/* The kinds and numbers of OS calls: "2 mmap, 1 munmap". */
void replay_print_calls(const size_t counts[OS_CALL_COUNT]);

#endif
