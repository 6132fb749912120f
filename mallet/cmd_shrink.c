/* SPDX-License-Identifier: MIT */
/*
 * shrink: reduce a trace that shows a finding to a small one that shows a finding of the same
 * class, and count how often that one reproduces.
 */
#include "harness/base/text.h"
#include "harness/cli/output.h"
#include "harness/executor/executor.h"
#include "harness/finding/finding.h"
#include "mallet/command.h"
#include "mallet/report.h"
#include "mallet/trace_file.h"

#include <errno.h>
#include <string.h>

enum { ATTEMPTS = 10, BUDGET_MAX = 10000000, KEY_CAUSE = 1000 };

struct request {
    struct cli cli;
    const char *file;
    unsigned budget; /* 0: the default of shrink_trace */
    bool keeps_cause;
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case 'b':
        request->budget = (unsigned)cli_parse_number("--budget", value, 0, BUDGET_MAX);
        return 0;
    case KEY_CAUSE:
        request->keeps_cause = true;
        return 0;
    case ARGP_KEY_ARG:
        if (request->cli.subject == NULL)
            return ARGP_ERR_UNKNOWN;
        if (request->file != NULL)
            argp_error(state, "one FILE only, not also `%s`", value);
        request->file = value;
        return 0;
    case ARGP_KEY_END:
        if (request->file == NULL)
            argp_error(state, "FILE is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int save_trace(const struct request *request, const struct finding *finding)
{
    struct output output;
    char error[OUTPUT_ERROR_MAX];
    if (request->cli.output == NULL)
        return 0;
    int result = output_open(&output, request->cli.output, error);
    if (result == 0) {
        report_write_trace(output.file, finding);
        result = output_close(&output, error);
    }
    return result == 0 ? 0 : refuse("%s", error);
}

static int print_finding_json(const struct finding *finding)
{
    json_t *document = report_finding_json(finding);
    if (document != NULL && cli_is_interrupted())
        json_object_set_new(document, "interrupted", json_true());
    return cli_print_json(document);
}

static int print_finding(const struct request *request, const struct finding *finding)
{
    if (!request->cli.as_json)
        report_finding(stdout, finding);
    else if (print_finding_json(finding) != EXIT_CLEAN)
        return EXIT_INTERNAL;
    int status = save_trace(request, finding);
    return status != 0                 ? status
           : cli_is_interrupted()      ? EXIT_INTERRUPTED
           : finding->expected == NULL ? EXIT_FINDINGS
                                       : EXIT_CLEAN;
}

static int shrink(const struct request *request, struct cli_findings *findings,
                  struct executor *executor, struct trace *trace)
{
    struct execution execution;
    char error[SUBJECT_ERROR_MAX];
    struct run_options options = executor_thorough(executor, trace->count);
    int failure = executor_run(executor, trace, &options, true, &execution, error);
    if (failure == ECANCELED)
        return EXIT_INTERRUPTED;
    if (failure != 0)
        return report_internal_error("%s", error);
    if (execution.is_clean) {
        fprintf(stderr, "mallet: nothing to shrink: every check holds\n");
        return EXIT_CLEAN;
    }
    struct verdict first = execution.verdict;
    cli_show_progress("shrinking %zu op%s that show: %s", trace->count, text_plural(trace->count),
                      first.sentence);
    failure = request->keeps_cause
                  ? shrink_to_cause(executor, trace, &first, request->budget, &execution, error)
                  : shrink_trace(executor, trace, &first, request->budget, &execution, error);
    if (failure == ECANCELED)
        return EXIT_INTERRUPTED;
    if (failure != 0)
        return report_internal_error("%s", error);
    struct finding finding;
    finding_make(&finding, executor_info(executor)->subject.name, &execution.verdict,
                 execution.output);
    finding.trace = *trace;
    if (finding_reproduce(executor, &finding, ATTEMPTS, error) != 0 && !cli_is_interrupted())
        return report_internal_error("%s", error);
    cli_hide_progress();
    (void)report_add_finding(findings, &finding);
    return print_finding(request, &finding);
}

static int shrink_request(const struct request *request)
{
    const struct executor_options how = {.has_capacity = request->cli.has_capacity,
                                         .capacity = request->cli.capacity,
                                         .is_cancelled = cli_is_interrupted};
    struct cli_findings findings;
    struct executor *executor;
    struct trace trace;
    char error[SUBJECT_ERROR_MAX];
    int status = cli_findings_open(&findings, &request->cli);
    if (status != EXIT_CLEAN)
        return cli_findings_close(&findings, status);
    if (trace_file_read(request->file, &trace, error) != 0)
        return cli_findings_close(&findings, refuse("%s", error));
    cli_catch_interrupts();
    if (executor_start(&executor, request->cli.subject, &how, error) == 0) {
        status = shrink(request, &findings, executor, &trace);
        executor_stop(executor);
    } else {
        status = refuse("%s", error);
    }
    trace_file_done(&trace);
    return cli_findings_close(&findings, status);
}

int command_shrink(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .takes = CLI_JSON | CLI_FINDINGS | CLI_OUTPUT_FILE | CLI_CAPACITY,
        .subjects_min = 1,
        .subjects_max = 1,
        .output_text = "Also write the small trace to FILE, as text"};
    static const struct argp_option options[] = {
        {"budget", 'b', "N", 0, "Run the trace at most N times (default: 3000)", 0},
        {"cause", KEY_CAUSE, NULL, 0,
         "Keep the cause instead of the class: also accept a trace that fails a related check, or "
         "fails in another function",
         0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "SUBJECT FILE",
        .doc = "Make a trace that breaks an allocator as small as possible, and print the finding: "
               "the check, the sentence, the trace, a standalone C program, and how often it "
               "reproduces. The exit status is 0 if every check holds."};
    struct request request = {0};
    cli_parse(&spec, &argp, argc, argv, &request.cli, &request);
    return shrink_request(&request);
}
