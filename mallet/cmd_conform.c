/* SPDX-License-Identifier: MIT */
/*
 * conform: the clauses of the standards put to one subject or several. The gate judges,
 * conformance/report_*.c write; here is the request, in this order: everything that can be refused
 * is refused before the first probe runs, and nothing is written before the last one ended.
 */
#include "conformance/report_formats.h"
#include "harness/executor/executor.h"
#include "mallet/command.h"
#include "mallet/conform_output.h"

#include <argp.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SUBJECTS_MAX = 16,
    GLOBS_MAX = 64,
    JOBS_MAX = 64,
    KEY_PROFILE = 'p',
    KEY_CLAUSE = 'c',
    KEY_FORMAT = 'f',
    KEY_OUTPUT = 'o',
    KEY_JOBS = 'j',
    KEY_BASELINE = 1000, /* long options only */
    KEY_WRITE_BASELINE,
    KEY_PROGRAMS
};

struct request {
    unsigned profiles;
    const char *globs[GLOBS_MAX], *typed[SUBJECTS_MAX];
    size_t glob_count, subject_count;
    const char *baseline;
    unsigned jobs;
    struct conform_outputs outputs;
};

struct conform {
    const struct request *request;
    struct subject_plan subjects[SUBJECTS_MAX];
    struct report_column columns[SUBJECTS_MAX];
    struct conform_report report;
    struct baseline baseline;
};

static unsigned parse_profile(const char *name)
{
    enum profile profile = profile_find(name);
    if (profile == PROFILE_COUNT)
        exit(refuse("--profile: `%s` is none of c17, c23, posix-2017, posix-2024, glibc, hardening",
                    name));
    return 1u << profile;
}

static const struct conform_format *parse_format(const char *name)
{
    const struct conform_format *format = conform_format_find(name);
    if (format == NULL)
        exit(refuse("--format: `%s` is none of table, tap, junit, json, sarif, markdown, html",
                    name));
    return format;
}

static void add_word(const char **words, size_t *count, size_t max, const char *kind,
                     const char *value)
{
    if (*count == max)
        exit(refuse("at most %zu %s, `%s` is one more", max, kind, value));
    words[(*count)++] = value;
}

static error_t parse_output_option(int key, char *value, struct conform_outputs *outputs)
{
    switch (key) {
    case KEY_FORMAT:
        outputs->format = parse_format(value);
        return 0;
    case KEY_OUTPUT:
        outputs->path = strcmp(value, "-") != 0 ? value : NULL;
        return 0;
    case KEY_WRITE_BASELINE:
        outputs->baseline = value;
        return 0;
    case KEY_PROGRAMS:
        outputs->programs = value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case KEY_PROFILE:
        request->profiles |= parse_profile(value);
        return 0;
    case KEY_CLAUSE:
        add_word(request->globs, &request->glob_count, GLOBS_MAX, "patterns of clauses", value);
        return 0;
    case KEY_BASELINE:
        request->baseline = value;
        return 0;
    case KEY_JOBS:
        request->jobs = (unsigned)parse_number("--jobs", value, JOBS_MAX);
        return 0;
    case ARGP_KEY_ARG:
        add_word(request->typed, &request->subject_count, SUBJECTS_MAX, "subjects", value);
        return 0;
    case ARGP_KEY_END:
        if (request->subject_count == 0)
            argp_error(state, "SUBJECT is missing");
        return 0;
    default:
        return parse_output_option(key, value, &request->outputs);
    }
}

static struct gate_options make_options(const struct request *request)
{
    return (struct gate_options){.profiles = request->profiles,
                                 .globs = request->globs,
                                 .glob_count = request->glob_count,
                                 .jobs = request->jobs,
                                 .has_sanitizer = MALLET_HAS_SANITIZER};
}

/* A pattern that matches nothing is a typing error, even beside one that matches. */
static int check_globs(const struct request *request)
{
    for (size_t i = 0; i < request->glob_count; i++) {
        struct gate_options options = make_options(request);
        options.globs = &request->globs[i];
        options.glob_count = 1;
        size_t clause = 0;
        while (clause < clauses_count() && !gate_selects(&options, clauses_at(clause)))
            clause++;
        if (clause == clauses_count())
            return refuse("--clause: no clause of the selected profiles matches `%s`; `mallet "
                          "clauses` lists them",
                          request->globs[i]);
    }
    return EXIT_CLEAN;
}

static bool is_taken(const struct conform *conform, size_t before, const char *name)
{
    for (size_t i = 0; i < before; i++)
        if (strcmp(conform->columns[i].name, name) == 0)
            return true;
    return false;
}

/* A program that brings its own libc runs the probes itself. */
static int find_subject(struct subject_plan *ret_plan, const char *typed,
                        char error[SUBJECT_ERROR_MAX])
{
    int result = subject_resolve(ret_plan, typed, BIND_AUTO, SUBJECT_IN_PROCESS, error);
    if (result != 0 || ret_plan->program[0] != '\0')
        return result;
    return executor_find_subject(ret_plan, typed, BIND_AUTO, SUBJECT_IN_PROCESS, error);
}

/* A subject goes by its short name; by what was typed where another one has that name. */
static int find_subjects(struct conform *conform)
{
    const struct request *request = conform->request;
    for (size_t i = 0; i < request->subject_count; i++) {
        char error[SUBJECT_ERROR_MAX];
        struct subject_plan *subject = &conform->subjects[i];
        if (find_subject(subject, request->typed[i], error) != 0)
            return refuse("%s", error);
        const char *name = is_taken(conform, i, subject->name) ? request->typed[i] : subject->name;
        if (is_taken(conform, i, name))
            return refuse("the subject %s is named twice", request->typed[i]);
        conform->columns[i].name = name;
    }
    return EXIT_CLEAN;
}

static void show_progress(size_t done, size_t all, void *context)
{
    fprintf(stderr, "\r%s: %zu of %zu probes\033[K", (const char *)context, done, all);
    if (done == all)
        fprintf(stderr, "\r\033[K");
}

static int run_subject(struct conform *conform, size_t i)
{
    char error[SUBJECT_ERROR_MAX];
    struct report_column *column = &conform->columns[i];
    struct gate_options options = make_options(conform->request);
    options.subject = &conform->subjects[i];
    options.progress = isatty(STDERR_FILENO) ? show_progress : NULL;
    options.context = (void *)(uintptr_t)column->name;
    int result = gate_run(&options, &column->results, error);
    if (result != 0)
        return result == ENOENT ? refuse("%s", error)
                                : report_internal_error("%s: %s", column->name, error);
    column->known = calloc(column->results.count + 1, sizeof *column->known);
    if (column->known == NULL)
        return report_internal_error("no memory for the results");
    for (size_t j = 0; j < column->results.count; j++) {
        struct finding finding;
        report_make_finding(&finding, column->name, &column->results.results[j]);
        column->known[j] = baseline_find(&conform->baseline, &finding);
    }
    return EXIT_CLEAN;
}

static int judge(const struct conform_report *report)
{
    int status = EXIT_CLEAN;
    for (size_t i = 0; i < report->count; i++)
        for (size_t j = 0; j < report->columns[i].results.count; j++) {
            const struct clause_result *result = &report->columns[i].results.results[j];
            if (!report_is_new(&report->columns[i], result))
                continue;
            if (result->verdict == CLAUSE_ERROR)
                return EXIT_INTERNAL;
            status = EXIT_FINDINGS;
        }
    return status;
}

static int run_request(struct conform *conform)
{
    const struct request *request = conform->request;
    int status = check_globs(request);
    if (status == EXIT_CLEAN)
        status = conform_outputs_check(&request->outputs);
    if (status == EXIT_CLEAN)
        status = find_subjects(conform);
    for (size_t i = 0; status == EXIT_CLEAN && i < request->subject_count; i++)
        status = run_subject(conform, i);
    if (status == EXIT_CLEAN)
        status = conform_outputs_write(&request->outputs, &conform->report, &conform->baseline);
    return status == EXIT_CLEAN ? judge(&conform->report) : status;
}

static int run_conform(const struct request *request)
{
    static struct conform conform; /* large, and there is one */
    char error[BASELINE_ERROR_MAX];
    int status = EXIT_CLEAN;
    clauses_load();
    conform.request = request;
    conform.report = (struct conform_report){
        .columns = conform.columns,
        .count = request->subject_count,
        .profiles = request->profiles != 0 ? request->profiles : (1u << PROFILE_COUNT) - 1,
        .programs = request->outputs.programs};
    if (request->baseline != NULL &&
        baseline_read(&conform.baseline, request->baseline, error) != 0)
        status = refuse("%s", error);
    if (status == EXIT_CLEAN)
        status = run_request(&conform);
    for (size_t i = 0; i < request->subject_count; i++) {
        gate_done(&conform.columns[i].results);
        free(conform.columns[i].known);
    }
    baseline_done(&conform.baseline);
    return status;
}

int command_conform(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"profile", KEY_PROFILE, "PROFILE", 0,
         "Clauses of c17, c23, posix-2017, posix-2024, glibc or hardening; may be repeated (all)",
         0},
        {"clause", KEY_CLAUSE, "GLOB", 0,
         "Clauses whose id matches the shell pattern; may be repeated (all)", 0},
        {"format", KEY_FORMAT, "FORMAT", 0,
         "table, tap, junit, json, sarif, markdown or html (table)", 0},
        {"output", KEY_OUTPUT, "FILE", 0, "Where to write the report (standard output)", 0},
        {"baseline", KEY_BASELINE, "FILE", 0,
         "Failures that are expected: only others fail the gate", 0},
        {"write-baseline", KEY_WRITE_BASELINE, "FILE", 0,
         "Write the failures there are as such a file", 0},
        {"programs", KEY_PROGRAMS, "DIR", 0, "Write a C program for each failure into this folder",
         0},
        {"jobs", KEY_JOBS, "N", 0, "Probes at a time (one for each processor)", 0},
        {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "SUBJECT…",
        .doc = "Put the numbered requirements of C, POSIX and glibc to one allocator, or to "
               "several side by side, each in a process of its "
               "own. Exit status: 0 nothing fails, 1 a clause fails that no baseline expects, 2 "
               "the request cannot be carried out, 3 a probe "
               "itself failed."};
    static struct request request;
    request.outputs.format = conform_format_at(0);
    argp_parse(&argp, argc, argv, 0, NULL, &request);
    return run_conform(&request);
}
