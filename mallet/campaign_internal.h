/* SPDX-License-Identifier: MIT */
/*
 * What the files of a campaign share, in the order of its life:
 *   campaign.c           the order itself
 *   campaign_folder.c    the output folder and the seeds
 *   campaign_engine.c    which programs to start, and how
 *   campaign_sync.c      where AFL++'s instances are, what they are called, which is the main one
 *   campaign_jobs.c      starts, watches, restarts and stops them
 *   campaign_progress.c  numbers, and the progress line
 *   campaign_course.c    progress.tsv: the numbers over time
 *   campaign_triage.c    raw traces and crashed inputs → findings, shrunk and saved
 *   campaign_target.c    crashes that only the instrumented target shows
 *   campaign_summary.c   summary.json and the summary for people; reads the one of an earlier
 *                        campaign
 */
#ifndef MALLET_CAMPAIGN_INTERNAL_H
#define MALLET_CAMPAIGN_INTERNAL_H

#include "harness/finding/finding.h"
#include "harness/process/process.h"
#include "mallet/campaign.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CAMPAIGN_PATH_MAX = 4096, CAMPAIGN_ERROR_MAX = 1024, CAMPAIGN_FINDINGS_MAX = 256 };

struct campaign_finding {
    char name[VERDICT_CLASS_MAX]; /* <check>-<site>, the name of its folder */
    struct finding finding;       /* without its trace, which is a file in that folder */
    size_t ops;                   /* of the trace */
    bool is_earlier;              /* of a campaign before, in the same folder */
};

struct campaign_status {
    uint64_t executions;
    unsigned coverage, features, corpus; /* edges, behaviours, inputs */
    /* classes saved by targets, inputs on which the engine died */
    size_t raw, artifacts;
};

/* One engine process, and those started in its place, as the engine itself counts. */
struct campaign_instance {
    uint64_t executions, before; /* before: of the processes that ended */
    unsigned coverage, features, corpus;
};

struct campaign {
    const struct campaign_options *options;
    char subject_path[CAMPAIGN_PATH_MAX]; /* options->subject, a path made absolute */
    char subject_name[64];
    char output[CAMPAIGN_PATH_MAX]; /* absolute */
    char target[CAMPAIGN_PATH_MAX], afl[CAMPAIGN_PATH_MAX], mutator[CAMPAIGN_PATH_MAX];
    char afl_folder[CAMPAIGN_PATH_MAX]; /* absolute: DIR/afl, or the one that is shared */
    char afl_prefix[24];                /* of its jobs' names, the number follows */
    bool is_afl_main;                   /* job 0 is the main one of the folder */
    int log;                            /* engine.log */
    int64_t engine_ms;                  /* time the engine had */
    bool is_interrupted;
    struct campaign_status status;
    struct campaign_instance instances[CLI_JOBS_MAX];
    struct campaign_finding findings[CAMPAIGN_FINDINGS_MAX];
    size_t count;
    size_t untriaged;     /* classes that a target saved, and that triage did not get to */
    unsigned unexplained; /* crashed inputs that did not crash again */
};

/* campaign.c */
/* After SIGINT and SIGTERM; during triage also when its time is over. */
bool campaign_is_stopped(void);
/* The same, but what ends by itself has had a moment for it, to write down what it has. */
bool campaign_is_overdue(void);
struct cli_work campaign_work(const struct campaign *campaign);
/* Formats a path; a path too long becomes "", which no call accepts. */
void campaign_path(char ret_path[CAMPAIGN_PATH_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* campaign_folder.c: 0, or a positive errno with one sentence. */
/* Whether the folder of seeds that was asked for is one; writes nothing. */
int campaign_find_corpus(const struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX]);
int campaign_prepare_folder(struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX]);
int campaign_fill_seeds(struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX]);
/* Reads a whole file, NUL behind it; NULL if that fails. The caller frees. */
char *campaign_read_file(const char *path, size_t *ret_length);
int campaign_write_file(const char *path, const void *bytes, size_t length);
/* Calls visit with each file of DIR/<folder>, or of an absolute folder, whose name begins with
 * prefix, in the order of names; stops when it returns false. */
typedef bool campaign_visit(struct campaign *campaign, const char *path, const char *name,
                            void *context);
void campaign_each_file(struct campaign *campaign, const char *folder, const char *prefix,
                        campaign_visit *visit, void *context);
size_t campaign_count_files(struct campaign *campaign, const char *folder, const char *prefix);
/* Copies what AFL++ keeps into DIR/corpus. */
void campaign_collect_corpus(struct campaign *campaign);

/* campaign_engine.c */
int campaign_find_engine(struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX]);
/* Starts job `index` for at most `seconds`, or a target on an input. The output is a stream. Return
 * 0 or a positive errno. */
int campaign_spawn_job(const struct campaign *campaign, unsigned index, unsigned seconds,
                       struct process *ret_process);
int campaign_spawn_target(const struct campaign *campaign, const char *input,
                          struct process *ret_process);

/* campaign_sync.c: 0, or a positive errno with one sentence. Needs the output folder. */
int campaign_prepare_sync(struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX]);
/* The absolute path of a file or folder of AFL++'s job. */
void campaign_afl_path(char ret_path[CAMPAIGN_PATH_MAX], const struct campaign *campaign,
                       unsigned job, const char *name);

/* campaign_jobs.c: runs the engine for its time. 0, or a positive errno with one sentence: it would
 * not run. */
int campaign_run_jobs(struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX]);

/* campaign_progress.c */
void campaign_update_status(struct campaign *campaign);
/* Reads what a libFuzzer line of an instance tells. */
void campaign_parse_line(struct campaign *campaign, unsigned instance, const char *line);
/* Shows the progress if it is due; is_last: ends the line. */
void campaign_show_progress(struct campaign *campaign, int64_t elapsed_ms, bool is_last);

/* campaign_course.c: progress.tsv, a line for each step of time, and for each instance of several.
 * begin marks a new run in a folder that may have had others; append writes what is due. */
void campaign_begin_course(const struct campaign *campaign);
void campaign_append_course(struct campaign *campaign, int64_t elapsed_ms, bool is_last);

/* campaign_triage.c. 0, or a positive errno with one sentence; findings so far are kept. */
int campaign_triage(struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX]);
struct campaign_finding *campaign_find_finding(struct campaign *campaign, const char *name);

/* campaign_target.c: replays an input in the target. True if it died again: the verdict from the
 * sanitizer's summary line. */
bool campaign_replay_target(struct campaign *campaign, const char *path,
                            struct verdict *ret_verdict);
/* Removes from the trace what the target's verdict does not need. */
void campaign_shrink_target(struct campaign *campaign, struct trace *trace,
                            const struct verdict *verdict);

/* campaign_summary.c */
void campaign_load_summary(struct campaign *campaign);
int campaign_save_summary(const struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX]);
void campaign_print_summary(const struct campaign *campaign);

#endif
