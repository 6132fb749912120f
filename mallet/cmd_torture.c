/* SPDX-License-Identifier: MIT */
/*
 * torture: run threads, forks and signals freely on one allocator, scenario by scenario. torture.h
 * runs a scenario; here is what surrounds it: which scenarios, for how long, what is known, how
 * often a finding reproduces, and its program.
 */
#include "adversity/torture/torture.h"
#include "harness/base/text.h"
#include "harness/cli/findings.h"
#include "harness/cli/output.h"
#include "harness/executor/executor.h"
#include "harness/finding/finding_json.h"
#include "mallet/command.h"
#include "mallet/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SCENARIOS_MAX = 16,
    DEFAULT_WORKERS = 8,
    DEFAULT_SECONDS = 10,
    DEFAULT_REPEATS = 5,
    REPEATS_MAX = 1000,
    KEY_TIME = 't',
    KEY_THREADS = 'n',
    KEY_BINDING = 'b',
    KEY_SCENARIO = 1000, /* long options only */
    KEY_REPEAT
};

struct request {
    struct cli cli;
    const struct torture_scenario *scenarios[SCENARIOS_MAX];
    size_t scenario_count;
    unsigned workers, seconds, repeats; /* seconds: of one scenario */
    enum subject_binding binding;
};

struct torture {
    const struct request *request;
    struct subject_plan subject;
    struct cli_findings findings_log;
    size_t findings, expected;
    size_t done, skipped, left_out; /* scenarios; skipped: not applicable */
    json_t *list;                   /* NULL unless --json */
};

/* What one run of a scenario came to. */
struct scenario_outcome {
    struct torture_plan plan;
    struct torture_result result;
    struct finding finding;
    char call[sizeof((struct torture_result *)0)->call]; /* printable */
    char program[PATH_MAX];                              /* "": none was written */
};

static void add_scenario(struct request *request, const char *name)
{
    const struct torture_scenario *scenario = torture_scenario_find(name);
    if (scenario == NULL)
        exit(refuse("--scenario: `%s` is none that `mallet torture --list` shows", name));
    for (size_t i = 0; i < request->scenario_count; i++)
        if (request->scenarios[i] == scenario)
            return;
    request->scenarios[request->scenario_count++] = scenario;
}

static void choose_all_scenarios(struct request *request)
{
    while (request->scenario_count < SCENARIOS_MAX &&
           torture_scenario_at(request->scenario_count) != NULL) {
        request->scenarios[request->scenario_count] = torture_scenario_at(request->scenario_count);
        request->scenario_count++;
    }
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case KEY_TIME:
        request->seconds = cli_parse_time("--time", value);
        return 0;
    case KEY_THREADS:
        request->workers = (unsigned)cli_parse_number("--threads", value, TORTURE_WORKERS_MIN,
                                                      TORTURE_WORKERS_MAX);
        return 0;
    case KEY_SCENARIO:
        add_scenario(request, value);
        return 0;
    case KEY_REPEAT:
        request->repeats = (unsigned)cli_parse_number("--repeat", value, 0, REPEATS_MAX);
        return 0;
    case KEY_BINDING:
        request->binding =
            (enum subject_binding)cli_parse_choice("--binding", value, subject_binding_name);
        return 0;
    case ARGP_KEY_END:
        if (request->scenario_count == 0)
            choose_all_scenarios(request);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void print_number(char ret_text[24], uint64_t number)
{
    if (number >= 10000000)
        snprintf(ret_text, 24, "%.0f M", (double)number / 1e6);
    else if (number >= 1000000)
        snprintf(ret_text, 24, "%.1f M", (double)number / 1e6);
    else if (number >= 10000)
        snprintf(ret_text, 24, "%.0f k", (double)number / 1e3);
    else
        snprintf(ret_text, 24, "%llu", (unsigned long long)number);
}

static void print_work(const struct scenario_outcome *outcome)
{
    const struct torture_result *result = &outcome->result;
    const struct {
        uint64_t number;
        const char *unit;
    } counts[] = {{result->calls, "call"},
                  {result->lives, "thread start"},
                  {result->forks, "fork"},
                  {result->interruptions, "interruption"}};
    printf("%-18s %u threads, %.1f s, %u process%s", outcome->plan.scenario->name,
           outcome->plan.workers, result->elapsed_ms / 1000.0, result->processes,
           result->processes == 1 ? "" : "es");
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        char text[24];
        print_number(text, counts[i].number);
        if (counts[i].number > 0)
            printf(", %s %s%s", text, counts[i].unit, text_plural(counts[i].number));
    }
}

static void print_outcome(const struct scenario_outcome *outcome)
{
    const struct torture_result *result = &outcome->result;
    if (result->lacking != NULL) {
        printf("%-18s not applicable: needs %s\n", outcome->plan.scenario->name, result->lacking);
        return;
    }
    print_work(outcome);
    if (!result->has_finding) {
        printf(": no finding\n");
        return;
    }
    printf(": %s %s\n", outcome->finding.expected != NULL ? "expected" : "FINDING",
           outcome->finding.check);
    printf("  what        %s\n", outcome->finding.sentence);
    printf("  call        %s\n", outcome->call);
    if (result->output[0] != '\0')
        printf("  output      %s\n", outcome->finding.output);
    printf("  seed        %llu, %s, %s\n", (unsigned long long)result->seed,
           result->on_one_processor ? "on one processor" : "on all processors",
           result->pace_us != 0 ? "interrupted" : "not interrupted");
    if (outcome->finding.attempts > 0)
        printf("  reproduced  %u of %u, each in at most twice the time\n",
               outcome->finding.reproduced, outcome->finding.attempts);
    if (outcome->program[0] != '\0')
        printf("  program     %s\n", outcome->program);
}

static json_t *make_json(const struct scenario_outcome *outcome)
{
    const struct torture_result *result = &outcome->result;
    if (result->lacking != NULL)
        return json_pack("{s:s, s:s, s:s}", "scenario", outcome->plan.scenario->name, "result",
                         "not applicable", "needs", result->lacking);
    json_t *object = json_pack("{s:s, s:i, s:f, s:i, s:I, s:I, s:I, s:I, s:s}", "scenario",
                               outcome->plan.scenario->name, "threads", (int)outcome->plan.workers,
                               "seconds", result->elapsed_ms / 1000.0, "processes",
                               (int)result->processes, "calls", (json_int_t)result->calls, "lives",
                               (json_int_t)result->lives, "forks", (json_int_t)result->forks,
                               "interruptions", (json_int_t)result->interruptions, "result",
                               !result->has_finding                ? "no finding"
                               : outcome->finding.expected != NULL ? "expected"
                                                                   : "finding");
    if (result->has_finding)
        json_object_set_new(object, "finding", finding_to_json(&outcome->finding));
    return object;
}

static json_t *make_extra(const struct scenario_outcome *outcome)
{
    const struct torture_result *result = &outcome->result;
    json_t *thread =
        result->verdict.op == VERDICT_NO_OP ? json_null() : json_integer(result->verdict.op);
    json_t *overlap = result->overlap[0][0] != '\0'
                          ? json_pack("[ss]", result->overlap[0], result->overlap[1])
                          : NULL;
    return json_pack("{s:o, s:o*, s:s, s:I, s:b, s:b, s:s}", "thread", thread, "overlap", overlap,
                     "call", outcome->call, "seed", (json_int_t)result->seed, "on_one_processor",
                     (int)result->on_one_processor, "interrupted", (int)(result->pace_us != 0),
                     "program", outcome->program);
}

static int write_program(const struct torture *torture, struct scenario_outcome *outcome)
{
    char error[OUTPUT_ERROR_MAX], path[PATH_MAX];
    struct output output;
    snprintf(path, sizeof path, "%.3800s/%.64s-%s-%s.c", torture->request->cli.output,
             torture->subject.name, outcome->plan.scenario->name,
             check_name(outcome->result.verdict.check));
    if (output_open(&output, path, error) != 0)
        return refuse("--output: %s", error);
    int result = torture_write_program(output.file, &outcome->plan, &outcome->result);
    if (output_close(&output, error) != 0)
        return refuse("--output: %s", error);
    if (result != 0)
        return report_internal_error("a part of the program for %s is missing",
                                     outcome->plan.scenario->name);
    memcpy(outcome->program, path, sizeof path);
    return EXIT_CLEAN;
}

/* Counts how often a new finding reproduces, and writes its program. */
static int follow_up(struct torture *torture, struct scenario_outcome *outcome)
{
    char error[SUBJECT_ERROR_MAX];
    const struct request *request = torture->request;
    torture->findings++;
    cli_hide_progress();
    cli_show_progress("%s: %s, to be repeated %u times", outcome->plan.scenario->name,
                      outcome->finding.check, request->repeats);
    int failure = torture_reproduce(&outcome->plan, &outcome->result, request->repeats,
                                    &outcome->finding.reproduced, error);
    if (failure != 0 && failure != ECANCELED)
        return report_internal_error("%s", error);
    outcome->finding.attempts = failure == 0 ? request->repeats : 0;
    outcome->finding.binding = torture->subject.binding;
    int status = request->cli.output != NULL ? write_program(torture, outcome) : EXIT_CLEAN;
    json_object_set_new(outcome->finding.extra, "program", json_string(outcome->program));
    cli_findings_update(&torture->findings_log, &outcome->finding);
    return status;
}

/* The finding is written down before it is reproduced, which takes its time. */
static int take_finding(struct torture *torture, struct scenario_outcome *outcome)
{
    finding_make(&outcome->finding, torture->subject.name, &outcome->result.verdict,
                 outcome->result.output);
    text_copy_printable(outcome->call, sizeof outcome->call, outcome->result.call);
    outcome->finding.extra = make_extra(outcome);
    if (cli_findings_add(&torture->findings_log, &outcome->finding))
        return follow_up(torture, outcome);
    torture->expected++;
    return EXIT_CLEAN;
}

static void leave_out(struct torture *torture, const struct torture_scenario *scenario)
{
    torture->left_out++;
    if (torture->list != NULL)
        json_array_append_new(torture->list, json_pack("{s:s, s:s}", "scenario", scenario->name,
                                                       "result", "not run"));
    else
        printf("%-18s not run: %s\n", scenario->name, cli_why_over());
}

/* Runs the scenario once and reports the outcome. */
static int run_once(struct torture *torture, struct scenario_outcome *outcome)
{
    char error[SUBJECT_ERROR_MAX];
    int failure = torture_run(&outcome->plan, &outcome->result, error);
    if (failure == ECANCELED) {
        leave_out(torture, outcome->plan.scenario);
        return EXIT_CLEAN;
    }
    if (failure != 0)
        return report_internal_error("%s: %s", outcome->plan.scenario->name, error);
    int status = outcome->result.has_finding ? take_finding(torture, outcome) : EXIT_CLEAN;
    /* also if its program could not be written */
    if (status != EXIT_INTERNAL && torture->list != NULL)
        json_array_append_new(torture->list, make_json(outcome));
    else if (status != EXIT_INTERNAL) {
        cli_hide_progress();
        print_outcome(outcome);
    }
    json_decref(outcome->finding.extra);
    fflush(stdout);
    return status;
}

/* After a finding that leaves the rest of the scenario sound, it runs again without that check, or
 * without the function that ended the process. */
static int run_scenario(struct torture *torture, const struct torture_scenario *scenario)
{
    const struct request *request = torture->request;
    struct torture_plan plan = {.subject = &torture->subject,
                                .scenario = scenario,
                                .workers = request->workers,
                                .milliseconds = request->seconds * 1000,
                                .seed = request->cli.seed,
                                .is_cancelled = cli_is_interrupted};
    for (bool goes_on = true; goes_on;) {
        struct scenario_outcome outcome = {.plan = plan};
        cli_show_progress("%zu of %zu scenarios done, %zu finding%s so far; now: %s for %u s",
                          torture->done + torture->skipped, request->scenario_count,
                          torture->findings, text_plural(torture->findings), scenario->name,
                          request->seconds);
        int status = run_once(torture, &outcome);
        if (status != EXIT_CLEAN)
            return status;
        torture->skipped += outcome.result.lacking != NULL;
        goes_on = outcome.result.has_finding && torture_mute(&plan, &outcome.result);
        torture->done += !goes_on && outcome.result.processes > 0;
    }
    return EXIT_CLEAN;
}

static json_t *make_document(const struct torture *torture, const struct cli_work *work)
{
    json_t *document = json_pack(
        "{s:s, s:I, s:O, s:I, s:I, s:I, s:I}", "subject", torture->subject.name, "seed",
        (json_int_t)torture->request->cli.seed, "scenarios", torture->list, "findings",
        (json_int_t)torture->findings, "expected", (json_int_t)torture->expected, "skipped",
        (json_int_t)torture->skipped, "not_run", (json_int_t)torture->left_out);
    cli_add_work(document, work);
    return document;
}

static int print_summary(struct torture *torture)
{
    /* a scenario that the subject lacks a function for is not its minimum; none at all would be */
    const size_t count = torture->done, minimum = count + torture->left_out;
    const struct cli_work work = {.done = count, .minimum = minimum > 0 ? minimum : 1};
    cli_hide_progress();
    if (torture->list == NULL)
        printf("%s: %zu scenario%s, %zu finding%s, %zu expected; what was not seen in this time "
               "may still be there\n",
               torture->subject.name, count, text_plural(count), torture->findings,
               text_plural(torture->findings), torture->expected);
    else if (cli_print_json(make_document(torture, &work)) != EXIT_CLEAN)
        return EXIT_INTERNAL;
    return cli_conclude(torture->findings, &work);
}

static int torture_subject(const struct request *request)
{
    struct torture torture = {.request = request};
    char error[SUBJECT_ERROR_MAX];
    if (executor_find_subject(&torture.subject, request->cli.subject, request->binding,
                              SUBJECT_WHOLE_PROCESS, error) != 0)
        return refuse("%s", error);
    if (request->cli.has_capacity)
        torture.subject.capacity = request->cli.capacity;
    int result = cli_findings_open(&torture.findings_log, &request->cli);
    if (result == EXIT_CLEAN && request->cli.output != NULL &&
        output_make_folder(request->cli.output, error) != 0)
        result = refuse("--output: %s", error);
    torture.list = request->cli.as_json ? json_array() : NULL;
    cli_catch_interrupts();
    for (size_t i = 0; i < request->scenario_count && result == EXIT_CLEAN; i++)
        if (!cli_is_over(&request->cli, torture.done, torture.findings))
            result = run_scenario(&torture, request->scenarios[i]);
        else
            leave_out(&torture, request->scenarios[i]);
    if (result == EXIT_CLEAN)
        result = print_summary(&torture);
    json_decref(torture.list);
    return cli_findings_close(&torture.findings_log, result);
}

static int list_scenarios(void)
{
    for (size_t i = 0; torture_scenario_at(i) != NULL; i++)
        printf("%-18s %s\n", torture_scenario_at(i)->name, torture_scenario_at(i)->text);
    return EXIT_CLEAN;
}

int command_torture(int argc, char **argv)
{
    static const struct cli_spec spec = {.takes = CLI_JSON | CLI_LIST | CLI_FINDINGS | CLI_LIMIT |
                                                  CLI_AT_LEAST | CLI_OUTPUT_FOLDER | CLI_SEED |
                                                  CLI_CAPACITY,
                                         .subjects_min = 1,
                                         .subjects_max = 1,
                                         .list_text = "List the scenarios and exit"};
    static const struct argp_option options[] = {
        {"threads", KEY_THREADS, "N", 0, "Run N threads at a time, 6 to 32 (default: 8)", 0},
        {"time", KEY_TIME, "TIME", 0,
         "Run each scenario for TIME (default: 10s); repeating its findings takes more time", 0},
        {"scenario", KEY_SCENARIO, "NAME", 0, "Run only the scenario NAME; may be repeated", 0},
        {"repeat", KEY_REPEAT, "N", 0,
         "Run a scenario with a finding N more times, to see how often it reproduces (default: 5)",
         0},
        {"binding", KEY_BINDING, "HOW", 0,
         "auto, static, dlopen, dlmopen or preload (default: preload if possible)", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "SUBJECT",
        .doc = "Run threads freely on an allocator: blocks change hands and every byte is checked, "
               "threads start and end, the process forks and exits while others allocate, and "
               "signals interrupt calls at random instants."};
    struct request request = {
        .workers = DEFAULT_WORKERS, .seconds = DEFAULT_SECONDS, .repeats = DEFAULT_REPEATS};
    cli_parse(&spec, &argp, argc, argv, &request.cli, &request);
    return request.cli.is_list ? list_scenarios() : torture_subject(&request);
}
