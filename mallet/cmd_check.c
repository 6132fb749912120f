/* SPDX-License-Identifier: MIT */
/*
 * check: every test of this project on one allocator, in one command and one page. The steps are in
 * check_steps.c; each is another command in a process of its own, one after the other. Skipped work
 * is listed, with the reason.
 *
 *     OUTPUT/STEP.json         what the step printed
 *     OUTPUT/STEP.findings     what it found, a line each, as it found it
 *     OUTPUT/findings/NAME.c   a C program for each finding that has one
 *     OUTPUT/fuzz/             the campaign; the next check continues it
 *     OUTPUT/check.json        what --json prints
 */
#include "harness/cli/findings.h"
#include "harness/cli/output.h"
#include "harness/executor/executor.h"
#include "mallet/check_run.h"
#include "mallet/command.h"
#include "mallet/report.h"
#include "mallet/seeds.h"

#include <string.h>
#include <unistd.h>

enum { KEY_QUICK = 1000, KEY_THOROUGH, KEY_CORPUS, SENTENCE_MAX = 512 };

struct options {
    struct cli cli;
    struct check_request request;
    const char *corpus;
};

struct page {
    const struct options *options;
    char subject[64]; /* short */
    struct cli_findings log;
    json_t *steps, *findings, *left_out;
    size_t known_count;
    int status;
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case KEY_QUICK:
        options->request.level = LEVEL_QUICK;
        return 0;
    case KEY_THOROUGH:
        options->request.level = LEVEL_THOROUGH;
        return 0;
    case KEY_CORPUS:
        options->corpus = value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- one step ---- */

static void leave_out(struct page *page, const char *what, const char *why)
{
    json_array_append_new(page->left_out, json_pack("{s:s, s:s}", "step", what, "why", why));
}

static void leave_out_counted(struct page *page, const struct check_result *result, const char *key,
                              const char *why)
{
    char text[64];
    json_int_t count = json_integer_value(json_object_get(result->document, key));
    snprintf(text, sizeof text, "%lld %s", (long long)count, why);
    if (count > 0)
        leave_out(page, result->step->name, text);
}

/* Writes a finding's program, unless it is a file already, and puts its path in the place of the
 * text. */
static int save_program(const struct page *page, const struct check_step *step,
                        const struct finding *finding, json_t *object)
{
    char path[PATH_MAX], error[OUTPUT_ERROR_MAX];
    struct output output;
    if (finding->program == NULL || strchr(finding->program, '\n') == NULL)
        return EXIT_CLEAN;
    snprintf(path, sizeof path, "%.2000s/findings/%s-%s-%s.c", page->options->request.output,
             step->name, finding->check, finding->site);
    for (char *at = path + strlen(page->options->request.output) + strlen("/findings/");
         *at != '\0'; at++)
        *at = (char)(*at == '/' || *at == ' ' ? '-' : *at);
    if (output_open(&output, path, error) != 0)
        return refuse("%s", error);
    fputs(finding->program, output.file);
    if (output_close(&output, error) != 0)
        return refuse("%s", error);
    json_object_set_new(object, "program", json_string(path));
    return EXIT_CLEAN;
}

static int save_document(const struct page *page, const char *name, const json_t *document)
{
    char path[PATH_MAX], error[OUTPUT_ERROR_MAX];
    struct output output;
    snprintf(path, sizeof path, "%.3000s/%s.json", page->options->request.output, name);
    if (output_open(&output, path, error) != 0)
        return refuse("%s", error);
    json_dumpf(document, output.file, JSON_INDENT(2));
    fputc('\n', output.file);
    return output_close(&output, error) == 0 ? EXIT_CLEAN : refuse("%s", error);
}

static int take_finding(struct page *page, const struct check_step *step,
                        const struct finding *finding)
{
    json_t *object = finding_to_json(finding);
    if (object == NULL || json_object_set_new(object, "step", json_string(step->name)) != 0 ||
        json_array_append_new(page->findings, object) != 0)
        return report_internal_error("no memory for the findings");
    return save_program(page, step, finding, object);
}

/* Adds what a step found to the check's findings. Returns how many are new, or -1 after a
 * refusal. */
static int take_findings(struct page *page, const struct check_step *step)
{
    size_t count;
    struct finding *findings = check_findings(&page->options->request, step, &count);
    int fresh = 0;
    for (size_t i = 0; i < count; i++)
        if (!cli_findings_add(&page->log, &findings[i]))
            page->known_count++;
        else if (fresh >= 0)
            fresh = take_finding(page, step, &findings[i]) == EXIT_CLEAN ? fresh + 1 : -1;
    finding_list_done(findings, count);
    return fresh;
}

static void print_step(const struct page *page, const struct check_result *result,
                       const char *outcome)
{
    char description[SENTENCE_MAX];
    if (result->document != NULL)
        result->step->describe(result->document, description, sizeof description);
    else
        snprintf(description, sizeof description, "%s", result->sentence);
    json_array_append_new(page->steps,
                          json_pack("{s:s, s:s, s:f, s:s}", "step", result->step->name, "result",
                                    outcome, "seconds", result->seconds, "summary", description));
    if (!page->options->cli.as_json)
        printf("  %-14s %6.1f s  %-12s %s\n", result->step->name, result->seconds, outcome,
               description);
    fflush(stdout);
}

static int judge_step(struct page *page, const struct check_result *result)
{
    char outcome[32];
    if (result->status == EXIT_REFUSED)
        leave_out(page, result->step->name, result->sentence);
    leave_out_counted(page, result, "not_run", "not run: its time was over");
    leave_out_counted(page, result, "left_out", "refusals left out");
    int fresh = take_findings(page, result->step);
    if (fresh < 0 || (result->document != NULL &&
                      save_document(page, result->step->name, result->document) != EXIT_CLEAN))
        return EXIT_REFUSED;
    bool is_broken = result->status == EXIT_INTERNAL;
    snprintf(outcome, sizeof outcome,
             fresh == 1  ? "%d finding"
             : fresh > 1 ? "%d findings"
                         : "ok",
             fresh);
    print_step(page, result,
               is_broken                        ? "failed"
               : result->status == EXIT_REFUSED ? "not done"
                                                : outcome);
    if (is_broken)
        page->status = EXIT_INTERNAL;
    else if (fresh > 0 && page->status == EXIT_CLEAN)
        page->status = EXIT_FINDINGS;
    return EXIT_CLEAN;
}

static int run_step(struct page *page, const struct check_step *step)
{
    const struct check_request *request = &page->options->request;
    struct check_result result;
    char text[SENTENCE_MAX];
    if (step->is_anvils && subject_anvil_options(request->subject) == NULL) {
        leave_out(page, step->name, "only for code that is built for it: see adversity/interleave");
        return EXIT_CLEAN;
    }
    if (request->end > 0 && check_now() >= request->end) {
        snprintf(text, sizeof text, "not begun: the %u seconds are over", request->limit);
        leave_out(page, step->name, text);
        return EXIT_CLEAN;
    }
    if (step->left_out[request->level] != NULL)
        leave_out(page, step->name, step->left_out[request->level]);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r  %s: %s … \r", step->name, step->what);
    check_run(request, step, &result);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K");
    int status = judge_step(page, &result);
    check_result_done(&result);
    return status;
}

/* ---- the page ---- */

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

static void print_page(const struct page *page)
{
    size_t i;
    json_t *object;
    if (json_array_size(page->findings) > 0)
        printf("\nFindings\n");
    json_array_foreach(page->findings, i, object)
    {
        printf("  %s %s at %s: %s\n", text_of(object, "step"), text_of(object, "check"),
               text_of(object, "site"), text_of(object, "sentence"));
        if (text_of(object, "program")[0] != '\0')
            printf("      %s\n", text_of(object, "program"));
    }
    printf("\nNot done\n");
    json_array_foreach(page->left_out, i, object)
        printf("  %-14s %s\n", text_of(object, "step"), text_of(object, "why"));
    printf("\n%s: %zu findings", page->subject, json_array_size(page->findings));
    if (page->known_count > 0)
        printf(", %zu more are known", page->known_count);
    printf("; everything is in %s\n", page->options->request.output);
}

static int finish(struct page *page)
{
    json_t *document =
        json_pack("{s:s, s:s, s:O, s:O, s:I, s:O, s:s}", "subject", page->subject, "level",
                  check_level_name(page->options->request.level), "steps", page->steps, "findings",
                  page->findings, "known", (json_int_t)page->known_count, "not_done",
                  page->left_out, "output", page->options->request.output);
    if (document == NULL)
        return report_internal_error("no memory for the report");
    int status = save_document(page, "check", document);
    if (status == EXIT_CLEAN && !page->options->cli.as_json)
        print_page(page);
    else if (status == EXIT_CLEAN)
        status = cli_print_json(json_incref(document));
    json_decref(document);
    return status == EXIT_CLEAN ? page->status : status;
}

static int run_check(struct page *page)
{
    if (!page->options->cli.as_json)
        printf("mallet check %s, %s\n\n", page->subject,
               check_level_name(page->options->request.level));
    for (size_t i = 0; check_step_at(i) != NULL; i++) {
        int status = run_step(page, check_step_at(i));
        if (status != EXIT_CLEAN)
            return status;
    }
    return finish(page);
}

/* ---- the request ---- */

/* The subject must be one that can be bound; otherwise every step would report that it is not. */
static int find_subject(struct page *page)
{
    char error[SUBJECT_ERROR_MAX];
    struct executor *executor;
    if (executor_start(&executor, page->options->request.subject, NULL, error) != 0)
        return refuse("%s", error);
    snprintf(page->subject, sizeof page->subject, "%s", executor_info(executor)->subject.name);
    executor_stop(executor);
    return EXIT_CLEAN;
}

static int find_folders(struct options *options, char corpus[PATH_MAX], char output[PATH_MAX],
                        const char *subject)
{
    char findings[PATH_MAX], error[OUTPUT_ERROR_MAX];
    if (!seeds_find(options->corpus, corpus))
        return refuse("no text traces in %s",
                      options->corpus != NULL
                          ? options->corpus
                          : "the project's corpus/seeds, which is not where it should be");
    if (options->cli.output != NULL)
        snprintf(output, PATH_MAX, "%s", options->cli.output);
    else
        snprintf(output, PATH_MAX, "mallet-report/%s-check", subject);
    snprintf(findings, sizeof findings, "%.4000s/findings", output);
    if (output_make_folder(findings, error) != 0)
        return refuse("--output: %s", error);
    options->request.corpus = corpus;
    options->request.output = output;
    return EXIT_CLEAN;
}

static int start(struct options *options)
{
    char corpus[PATH_MAX], output[PATH_MAX];
    struct page page = {.options = options};
    int status = cli_findings_open(&page.log, &options->cli);
    if (status == EXIT_CLEAN)
        status = find_subject(&page);
    if (status == EXIT_CLEAN)
        status = find_folders(options, corpus, output, page.subject);
    if (status == EXIT_CLEAN) {
        page.steps = json_array();
        page.findings = json_array();
        page.left_out = json_array();
        status = run_check(&page);
        json_decref(page.steps);
        json_decref(page.findings);
        json_decref(page.left_out);
    }
    return cli_findings_close(&page.log, status);
}

int command_check(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .takes = CLI_JSON | CLI_FINDINGS | CLI_LIMIT | CLI_OUTPUT_FOLDER,
        .subjects_min = 1,
        .subjects_max = 1,
        .output_text = "Write reports, programs and the campaign to DIR (default: "
                       "mallet-report/SUBJECT-check)",
        .limit_text = "Stop after TIME, such as 90s, 20m or 1h30m; what is skipped is listed"};
    static const struct argp_option options[] = {
        {"quick", KEY_QUICK, NULL, 0, "A little of every step, within a minute", 0},
        {"thorough", KEY_THOROUGH, NULL, 0, "Half an hour and more (default: within five minutes)",
         0},
        {"corpus", KEY_CORPUS, "DIR", 0,
         "Use the text traces in DIR instead of the project's seeds", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "SUBJECT",
        .doc = "Run every test of this project on one allocator: clauses, traces, failing calls to "
               "the operating system, threads, torture, growth and a search. Prints one page, "
               "with the work that was skipped."};
    struct options request = {.request.level = LEVEL_DEFAULT};
    cli_parse(&spec, &argp, argc, argv, &request.cli, &request);
    struct check_request *check = &request.request;
    check->subject = request.cli.subject;
    check->baselines = request.cli.baselines;
    check->baseline_count = request.cli.baseline_count;
    check->limit = request.cli.limit != 0 ? request.cli.limit : check_level_limit(check->level);
    check->end = check->limit == 0 ? 0 : check_now() + check->limit;
    return start(&request);
}
