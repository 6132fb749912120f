/* SPDX-License-Identifier: MIT */
/*
 * conform: test one allocator, or several side by side, against the clauses of the standards. The
 * gate judges and conformance/report_*.c write; this file carries out the request in a fixed order:
 * everything that can be refused is refused before the first probe runs, and nothing is written
 * before the last one has ended.
 */
#include "conformance/report_formats.h"
#include "harness/base/clock.h"
#include "harness/cli/findings.h"
#include "harness/cli/output.h"
#include "harness/executor/executor.h"
#include "mallet/command.h"
#include "mallet/conform_output.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

enum {
    GLOBS_MAX = 64,
    KEY_PROFILE = 'p',
    KEY_CLAUSE = 'c',
    KEY_FORMAT = 'f',
    KEY_PROGRAMS = 1000 /* long options only */
};

struct request {
    struct cli cli;
    unsigned profiles;
    const char *globs[GLOBS_MAX];
    size_t glob_count;
    struct conform_outputs outputs;
};

struct conform {
    const struct request *request;
    struct subject_plan subjects[CLI_SUBJECTS_MAX];
    struct report_column columns[CLI_SUBJECTS_MAX];
    struct conform_report report;
    struct cli_findings findings;
    const char *running; /* the subject that the gate runs on */
    uint64_t started_ms;
};

static const char *format_name(unsigned i)
{
    return conform_format_at(i) != NULL ? conform_format_at(i)->name : NULL;
}

static void add_glob(struct request *request, const char *glob)
{
    if (request->glob_count == GLOBS_MAX)
        exit(refuse("--clause: at most %d patterns, `%s` is one more", GLOBS_MAX, glob));
    request->globs[request->glob_count++] = glob;
}

static const char *profile_name_or_all(unsigned i)
{
    return i == PROFILE_COUNT ? "all" : profile_name(i);
}

static unsigned parse_profiles(const char *value)
{
    unsigned i = cli_parse_choice("--profile", value, profile_name_or_all);
    return i == PROFILE_COUNT ? (1u << PROFILE_COUNT) - 1 : 1u << i;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case KEY_PROFILE:
        request->profiles |= parse_profiles(value);
        return 0;
    case KEY_CLAUSE:
        add_glob(request, value);
        return 0;
    case KEY_FORMAT:
        request->outputs.format =
            conform_format_at(cli_parse_choice("--format", value, format_name));
        return 0;
    case KEY_PROGRAMS:
        request->outputs.programs = value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static struct gate_options make_options(const struct request *request)
{
    return (struct gate_options){.profiles = request->profiles,
                                 .globs = request->globs,
                                 .glob_count = request->glob_count,
                                 .jobs = request->cli.jobs,
                                 .capacity = !request->cli.has_capacity   ? 0
                                             : request->cli.capacity == 0 ? UINT64_MAX
                                                                          : request->cli.capacity,
                                 .is_over = cli_is_interrupted,
                                 .has_sanitizer = MALLET_HAS_SANITIZER};
}

/* Every pattern must match a clause; one that matches none is most likely a typing error. */
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

/* A subject is shown under its short name, or as it was typed if that name is taken. */
static int find_subjects(struct conform *conform)
{
    const struct request *request = conform->request;
    for (size_t i = 0; i < request->cli.subject_count; i++) {
        char error[SUBJECT_ERROR_MAX];
        struct subject_plan *subject = &conform->subjects[i];
        if (find_subject(subject, request->cli.subjects[i], error) != 0)
            return refuse("%s", error);
        const char *name =
            is_taken(conform, i, subject->name) ? request->cli.subjects[i] : subject->name;
        if (is_taken(conform, i, name))
            return refuse("the subject %s is named twice", request->cli.subjects[i]);
        conform->columns[i].name = name;
        conform->columns[i].compile_option = subject_plan_compile_option(subject);
    }
    return EXIT_CLEAN;
}

static void show_progress(size_t done, size_t all, void *context)
{
    const struct conform *conform = context;
    cli_show_progress("%s: %zu of %zu probes", conform->running, done, all);
    if (done == all)
        cli_hide_progress();
}

/* As soon as it is judged, so that it outlives a process that is stopped. */
static void collect(const struct clause_result *result, void *context)
{
    struct conform *conform = context;
    struct finding finding;
    if (!report_is_bad(result))
        return;
    report_make_finding(&finding, conform->running, result);
    (void)cli_findings_add(&conform->findings, &finding);
}

/* What is left of the limit, shared out evenly among the subjects that are to come, in ms; 0: no
 * limit. */
static unsigned share_limit(const struct conform *conform, size_t subject)
{
    const struct cli *cli = &conform->request->cli;
    uint64_t spent = clock_now_ms() - conform->started_ms, limit = (uint64_t)cli->limit * 1000;
    if (limit == 0)
        return 0;
    return spent < limit ? (unsigned)((limit - spent) / (cli->subject_count - subject)) + 1 : 1;
}

/* Which results a baseline expects, and which count. */
static int judge_results(struct conform *conform, struct report_column *column)
{
    column->known = calloc(column->results.count + 1, sizeof *column->known);
    if (column->known == NULL)
        return report_internal_error("no memory for the results");
    for (size_t j = 0; j < column->results.count; j++) {
        struct finding finding;
        struct clause_result *result = &column->results.results[j];
        if (!report_is_bad(result))
            continue;
        report_make_finding(&finding, column->name, result);
        (void)cli_findings_add(&conform->findings, &finding);
        column->known[j] = finding.expected;
    }
    return EXIT_CLEAN;
}

static int run_subject(struct conform *conform, size_t i)
{
    char error[SUBJECT_ERROR_MAX];
    struct report_column *column = &conform->columns[i];
    struct gate_options options = make_options(conform->request);
    options.subject = &conform->subjects[i];
    options.limit_ms = share_limit(conform, i);
    options.at_least = conform->request->cli.at_least;
    options.progress = show_progress;
    options.collect = collect;
    options.context = conform;
    conform->running = column->name;
    int result = gate_run(&options, &column->results, error);
    bool is_request = result == ENOENT || result == ENOEXEC || result == EACCES;
    if (result != 0)
        return is_request ? refuse("%s", error)
                          : report_internal_error("%s: %s", column->name, error);
    conform->report.run += column->results.run;
    conform->report.minimum += gate_minimum(&column->results);
    return judge_results(conform, column);
}

static int judge(const struct conform_report *report)
{
    size_t findings = 0, errors = 0;
    for (size_t i = 0; i < report->count; i++)
        for (size_t j = 0; j < report->columns[i].results.count; j++) {
            const struct clause_result *result = &report->columns[i].results.results[j];
            bool is_new = report_is_new(&report->columns[i], result);
            findings += is_new && result->verdict == CLAUSE_FAIL;
            errors += is_new && result->verdict == CLAUSE_ERROR;
        }
    const struct cli_work work = {.done = report->run, .minimum = report->minimum};
    int status = cli_conclude(findings, &work);
    return errors > 0 ? cli_worse_status(status, EXIT_INTERNAL) : status;
}

static int run_request(struct conform *conform)
{
    const struct request *request = conform->request;
    char error[OUTPUT_ERROR_MAX];
    int status = check_globs(request);
    if (status == EXIT_CLEAN)
        status = conform_outputs_check(&request->outputs);
    if (status == EXIT_CLEAN)
        status = find_subjects(conform);
    if (status == EXIT_CLEAN && request->outputs.programs != NULL &&
        output_make_folder(request->outputs.programs, error) != 0)
        status = refuse("--programs: %s", error);
    for (size_t i = 0; status == EXIT_CLEAN && i < request->cli.subject_count; i++)
        status = run_subject(conform, i);
    conform->report.is_interrupted = cli_is_interrupted();
    if (status == EXIT_CLEAN)
        status =
            conform_outputs_write(&request->outputs, &conform->report, &conform->findings.expected);
    return status == EXIT_CLEAN ? judge(&conform->report) : status;
}

static int run_conform(const struct request *request)
{
    static struct conform conform; /* too large for the stack */
    clauses_load();
    conform.request = request;
    conform.started_ms = clock_now_ms();
    cli_catch_interrupts();
    conform.report = (struct conform_report){
        .columns = conform.columns,
        .count = request->cli.subject_count,
        .profiles = request->profiles != 0 ? request->profiles : (1u << PROFILE_COUNT) - 1,
        .programs = request->outputs.programs};
    int status = cli_findings_open(&conform.findings, &request->cli);
    if (status == EXIT_CLEAN)
        status = run_request(&conform);
    for (size_t i = 0; i < request->cli.subject_count; i++) {
        gate_done(&conform.columns[i].results);
        free(conform.columns[i].known);
    }
    return cli_findings_close(&conform.findings, status);
}

int command_conform(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .takes = CLI_JSON | CLI_FINDINGS | CLI_OUTPUT_FILE | CLI_LIMIT | CLI_AT_LEAST |
                 CLI_CAPACITY | CLI_JOBS,
        .subjects_min = 1,
        .subjects_max = CLI_SUBJECTS_MAX,
        .output_text = "Write the report to FILE instead of standard output",
        .jobs_text = "Run N probes at a time, 1 to 64 (default: one for each processor)"};
    static const struct argp_option options[] = {
        {"profile", KEY_PROFILE, "PROFILE", 0,
         "Test the clauses of c17, c23, posix-2017, posix-2024, glibc, hardening or all, and count "
         "every failure; may be repeated (default: test all, and count what both C17 and C23, or "
         "both editions of POSIX, require)",
         0},
        {"clause", KEY_CLAUSE, "GLOB", 0,
         "Test only clauses whose ID matches the shell pattern; may be repeated (default: all)", 0},
        {"format", KEY_FORMAT, "FORMAT", 0,
         "Form of the report: table (default), tap, junit, json, sarif, markdown or html", 0},
        {"programs", KEY_PROGRAMS, "DIR", 0, "Write a C program for each failure to DIR", 0},
        {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "SUBJECT…",
        .doc = "Test an allocator against the numbered requirements of C, POSIX and glibc, each in "
               "a process of its own. Several allocators are shown side by side. --json is short "
               "for --format json. When the time of --limit is over, the results so far are "
               "reported; a run of fewer than 100 clauses, or than all that were selected, is "
               "incomplete."};
    static struct request request;
    request.outputs.format = conform_format_at(0);
    cli_parse(&spec, &argp, argc, argv, &request.cli, &request);
    if (request.cli.as_json)
        request.outputs.format = conform_format_find("json");
    bool is_to_file = request.cli.output != NULL && strcmp(request.cli.output, "-") != 0;
    request.outputs.path = is_to_file ? request.cli.output : NULL;
    return run_conform(&request);
}
