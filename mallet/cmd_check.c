/* SPDX-License-Identifier: MIT */
/*
 * check: every test of this project on one allocator, in one command and one page. The steps are in
 * check_steps.c; each is another command in a process of its own, as many at a time as there are
 * processors.
 *
 *     earlier build's findings again → steps → causes → page, JSON, exit status
 *
 *     OUTPUT/N/               trace and program of entry N of the page
 *     OUTPUT/STEP.json        what the step printed
 *     OUTPUT/STEP.findings    what it found, a line each, as it found it
 *     OUTPUT/STEP/            what else it wrote; fuzz/ is the campaign, which the next check
 *                             continues
 *     OUTPUT/check.json       what --json prints
 */
#include "harness/base/text.h"
#include "harness/cli/findings.h"
#include "harness/cli/output.h"
#include "harness/executor/executor.h"
#include "mallet/check_page.h"
#include "mallet/command.h"
#include "mallet/seeds.h"
#include "mallet/site.h"

#include <string.h>

enum {
    KEY_QUICK = 1000,
    KEY_THOROUGH,
    KEY_CORPUS,
    KEY_AGAINST,
    CAUSES_SHARE = 6,  /* one part in so many of the time is for what was found */
    CAUSES_MAX_S = 60, /* and no more */
    EARLIER_SHARE = 6
};

struct options {
    struct check_request request;
    const char *corpus, *against;
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
    case KEY_AGAINST:
        options->against = value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- the steps ---- */

static int save_document(const struct check_report *check, const char *name, json_t *document)
{
    char path[PATH_MAX], error[OUTPUT_ERROR_MAX];
    struct output output;
    snprintf(path, sizeof path, "%.3000s/%s.json", check->request->output, name);
    if (output_open(&output, path, error) != 0)
        return refuse("%s", error);
    int result = cli_write_json(json_incref(document), output.file);
    if (output_close(&output, error) != 0)
        return refuse("%s", error);
    return result == 0 ? EXIT_CLEAN : report_internal_error("%s cannot be encoded", path);
}

static int take_result(void *context, struct check_result *result)
{
    struct check_report *check = context;
    struct check_line *line = &check->lines[check->line_count++];
    *line = (struct check_line){.step = result->step,
                                .state = result->state,
                                .is_part = check_step_is_part(result->document),
                                .seconds = result->seconds,
                                .done = result->done,
                                .minimum = result->minimum};
    snprintf(line->sentence, sizeof line->sentence, "%s", result->sentence);
    check_step_describe(result->step, result->document, line->summary, sizeof line->summary);
    if (result->state != STEP_NOT_BEGUN && result->state != STEP_NOT_MEANT)
        line->fresh = check_causes_take(&check->causes, result->step);
    if (result->document == NULL && result->state != STEP_NOT_BEGUN)
        check_causes_take_raw(&check->causes, result->step);
    result->found = check_causes_counting(&check->causes);
    if (result->state == STEP_BROKEN) {
        check->status =
            report_internal_error("the step %s: %s", result->step->name, result->sentence);
    }
    return result->document != NULL ? save_document(check, result->step->name, result->document)
                                    : EXIT_CLEAN;
}

static void show_progress(void *context, const struct check_progress *progress)
{
    const struct check_report *check = context;
    size_t found = check_causes_counting(&check->causes);
    char running[512] = "";
    size_t used = 0;
    for (size_t i = 0; i < CHECK_SLOTS_MAX && used < sizeof running; i++)
        if (progress->names[i] != NULL)
            used += (size_t)snprintf(running + used, sizeof running - used, " %s (%.0f s)",
                                     progress->names[i], progress->seconds[i]);
    cli_show_progress("%u of %u steps done, %zu finding%s so far; running:%s", progress->ended,
                      progress->count, found, text_plural(found), running);
}

static const struct check_step *step_at(const void *line)
{
    return ((const struct check_line *)line)->step;
}

/* In the order of the table, whichever ended first. */
static int compare_lines(const void *left, const void *right)
{
    return step_at(left) < step_at(right) ? -1 : step_at(left) > step_at(right);
}

/* ---- the check ---- */

/* The end of the last thing that may begin. 0: there is none. */
static double end_of(const struct check_request *request)
{
    return request->limit > 0 ? check_now() + request->limit : 0;
}

static int conclude(const struct check_report *check)
{
    size_t found = check->causes.cause_count - check->causes.note_count;
    bool is_found = check->against.old != NULL
                        ? check_against_count_new(&check->against, &check->causes) > 0
                        : found > 0;
    int status = is_found ? EXIT_FINDINGS : check_is_complete(check) ? EXIT_CLEAN : EXIT_INCOMPLETE;
    status = cli_worse_status(status, check->status);
    return cli_is_interrupted() ? EXIT_INTERRUPTED : status;
}

static int report(struct check_report *check)
{
    char error[SITE_ERROR_MAX];
    check->status = conclude(check);
    json_t *document = check_make_json(check);
    if (document == NULL)
        return report_internal_error("no memory for the report");
    int status = save_document(check, "check", document);
    if (status == EXIT_CLEAN && site_write_beside(check->request->output, error) != 0)
        fprintf(stderr, "mallet: no page for people: %s\n", error);
    if (status == EXIT_CLEAN && check->request->cli.as_json)
        status = cli_print_json(json_incref(document));
    else if (status == EXIT_CLEAN)
        check_print_page(check);
    json_decref(document);
    return status == EXIT_CLEAN ? check->status : status;
}

static int run_check(struct check_report *check, struct check_request *request,
                     const char *subject_file)
{
    double start = check_now(), end = end_of(request);
    const double most = CAUSES_MAX_S;
    double reserve = request->limit / (double)CAUSES_SHARE;
    reserve = reserve < most ? reserve : most;
    request->end = end > 0 ? end - reserve : 0;
    request->last = end > 0 ? start + check_most_seconds(request) - reserve : 0;
    check_folder_open(&check->folder, &check->causes, subject_file,
                      end > 0 ? start + request->limit / (double)EARLIER_SHARE : start + most);
    int status = check_run_steps(request, take_result, show_progress, check);
    cli_hide_progress();
    qsort(check->lines, check->line_count, sizeof *check->lines, compare_lines);
    if (status == EXIT_CLEAN) {
        check_folder_settle(&check->folder, &check->causes);
        check_causes_find(&check->causes, check_now() + (end > 0 ? reserve : (double)CAUSES_MAX_S));
        check->stale = check_is_complete(check)
                           ? baseline_stale(&check->causes.log->expected, check->subject)
                           : 0;
        if (check->against.old != NULL)
            check_against_compare(&check->against, &check->causes, check_now() + most);
        check->seconds = check_now() - start;
        status = report(check);
    }
    check_against_done(&check->against);
    check_folder_done(&check->folder);
    check_causes_done(&check->causes);
    return status;
}

/* ---- the request ---- */

/* The subject must be one that can be bound; otherwise every step would report that it is not. */
static int find_subject(const char *typed, char ret_name[64], char ret_file[PATH_MAX],
                        char ret_preload[PATH_MAX], unsigned *ret_offers)
{
    char error[SUBJECT_ERROR_MAX];
    struct subject_plan whole;
    struct executor *executor;
    if (executor_start(&executor, typed, NULL, error) != 0)
        return refuse("%s", error);
    const struct subject_plan *plan = &executor_info(executor)->subject;
    bool is_inside = plan->binding == BIND_STATIC || plan->binding == BIND_HOST;
    *ret_offers = plan->offers;
    snprintf(ret_name, 64, "%s", plan->name);
    snprintf(ret_file, PATH_MAX, "%s", is_inside ? "/proc/self/exe" : plan->spec);
    const char *preload =
        subject_plan_whole_process(plan, &whole) ? subject_plan_preload(&whole) : NULL;
    snprintf(ret_preload, PATH_MAX, "%s", preload != NULL ? preload : "");
    executor_stop(executor);
    return EXIT_CLEAN;
}

/* Before anything is written. */
static int find_old(const char *typed)
{
    char error[SUBJECT_ERROR_MAX];
    struct executor *executor;
    if (bring_is_needed(&(struct bring){0}, typed))
        return refuse("--against: %s must be built first: check it alone, which leaves the object "
                      "in mallet-report/built",
                      typed);
    if (executor_start(&executor, typed, NULL, error) != 0)
        return refuse("--against: %s", error);
    executor_stop(executor);
    return EXIT_CLEAN;
}

static int find_folders(struct options *options, char corpus[PATH_MAX], char output[PATH_MAX],
                        const char *subject)
{
    struct check_request *request = &options->request;
    char error[OUTPUT_ERROR_MAX];
    if (!seeds_find(options->corpus, corpus, error))
        return refuse("--corpus: %s", error);
    if (request->cli.output != NULL)
        snprintf(output, PATH_MAX, "%s", request->cli.output);
    else
        snprintf(output, PATH_MAX, "mallet-report/%s-check", subject);
    if (output_make_folder(output, error) != 0)
        return refuse("--output: %s", error);
    request->corpus = corpus;
    request->output = output;
    return EXIT_CLEAN;
}

static int start(struct options *options)
{
    static char corpus[PATH_MAX], output[PATH_MAX]; /* the request points to them */
    char subject[64], file[PATH_MAX], preload[PATH_MAX] = "";
    struct check_request *request = &options->request;
    struct cli_findings log;
    int status = cli_findings_open(&log, &request->cli);
    if (status == EXIT_CLEAN)
        status = find_subject(request->subject, subject, file, preload, &request->offers);
    if (status == EXIT_CLEAN && options->against != NULL)
        status = find_old(options->against);
    if (status == EXIT_CLEAN)
        status = find_folders(options, corpus, output, subject);
    struct check_report check = {
        .request = request,
        .subject = subject,
        .preload = preload,
        .against.old = options->against,
        .causes = {.request = request, .log = &log, .subject = subject},
    };
    if (status == EXIT_CLEAN) {
        cli_catch_interrupts();
        if (options->against != NULL)
            status = check_against_run(&check.against, request);
    }
    if (status == EXIT_CLEAN) {
        status = run_check(&check, request, file);
    }
    return cli_findings_close(&log, status);
}

int command_check(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .takes = CLI_JSON | CLI_FINDINGS | CLI_LIMIT | CLI_OUTPUT_FOLDER | CLI_CAPACITY | CLI_JOBS,
        .subjects_min = 1,
        .subjects_max = 1,
        .is_fuzzed = true,
        .output_text = "Write reports, programs and the campaign to DIR (default: "
                       "mallet-report/SUBJECT-check)",
        .limit_text = "Stop after TIME, such as 90s, 20m or 1h30m; a check that did not get its "
                      "minimum then ends with status 4",
        .jobs_text = "Run N steps at a time, 1 to 64 (default: one for each processor)"};
    static const struct argp_option options[] = {
        {"quick", KEY_QUICK, NULL, 0,
         "Run a little of every step: at most a minute on an idle machine", 0},
        {"thorough", KEY_THOROUGH, NULL, 0,
         "Run for half an hour and more (default: at most five minutes)", 0},
        {"corpus", KEY_CORPUS, "DIR", 0,
         "Use the text traces in DIR instead of the project's seeds", 0},
        {"against", KEY_AGAINST, "OLD", 0,
         "Check OLD, a shared object or a name, first; tell what of SUBJECT is new, unchanged and "
         "gone. Status 1 is for what is new",
         0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "SUBJECT",
        .doc = "Run every test of this project on one allocator: clauses, traces, failing calls to "
               "the operating system, threads, torture, growth and fuzzing. Prints one page: the "
               "answer, one entry for each defect, notes, and what ran.\v"
               "DIR belongs to one build of SUBJECT: findings of an earlier build are tried again "
               "first, and reported as still there or gone."};
    struct options request = {.request.level = LEVEL_DEFAULT};
    struct check_request *check = &request.request;
    cli_parse(&spec, &argp, argc, argv, &check->cli, &request);
    check->subject = check->cli.subject;
    check->is_anvil = subject_anvil_options(check->subject) != NULL;
    check->limit = check->cli.limit != 0
                       ? check->cli.limit
                       : (unsigned)(check_level_limit(check->level) * check_slowness());
    return start(&request);
}
