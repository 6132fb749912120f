/* SPDX-License-Identifier: MIT */
/* torture: free-running threads, forks and signals on one subject, scenario by scenario. */
#include "adversity/torture/torture.h"
#include "harness/executor/executor.h"
#include "harness/finding/baseline.h"
#include "mallet/command.h"
#include "mallet/output.h"
#include "mallet/report.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    SCENARIOS_MAX = 16,
    DEFAULT_WORKERS = 8,
    DEFAULT_SECONDS = 10,
    DEFAULT_REPEATS = 5,
    KEY_JSON = 'j',
    KEY_TIME = 't',
    KEY_THREADS = 'n',
    KEY_OUTPUT = 'o',
    KEY_BINDING = 'b',
    KEY_SEED = 1000, /* long options only */
    KEY_SCENARIO,
    KEY_REPEAT,
    KEY_KNOWN,
    KEY_LIST,
    KEY_LIMIT
};

struct request {
    const char *subject, *known_path, *folder;
    const struct torture_scenario *scenarios[SCENARIOS_MAX];
    size_t scenario_count;
    unsigned workers, seconds, repeats;
    unsigned limit; /* seconds for all of it; 0: none */
    uint64_t seed;
    enum subject_binding binding;
    bool as_json, is_list;
};

struct torture {
    const struct request *request;
    struct subject_plan subject;
    struct baseline baseline;
    size_t findings, known_findings, left_out;
    json_t *list; /* NULL unless --json */
};

/* What one run of a scenario came to. */
struct scenario_outcome {
    struct torture_plan plan;
    struct torture_result result;
    unsigned times; /* that the finding came back, of request->repeats */
    struct finding finding;
    char call[sizeof((struct torture_result *)0)->call]; /* printable */
    bool is_known;
    char program[PATH_MAX]; /* "": none was written */
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

static unsigned parse_workers(const char *value)
{
    unsigned long long workers = parse_number("--threads", value, TORTURE_WORKERS_MAX);
    if (workers < TORTURE_WORKERS_MIN)
        exit(refuse("--threads: `%s` is not a number from %d to %d", value, TORTURE_WORKERS_MIN,
                    TORTURE_WORKERS_MAX));
    return (unsigned)workers;
}

static void finish(struct request *request, struct argp_state *state)
{
    if (request->subject == NULL && !request->is_list)
        argp_error(state, "SUBJECT is missing");
    for (size_t i = 0; request->scenario_count == 0 && torture_scenario_at(i) != NULL; i++)
        request->scenarios[i] = torture_scenario_at(i);
    while (request->scenario_count < SCENARIOS_MAX &&
           request->scenarios[request->scenario_count] != NULL)
        request->scenario_count++;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case KEY_JSON:
        request->as_json = true;
        return 0;
    case KEY_LIST:
        request->is_list = true;
        return 0;
    case KEY_TIME:
        request->seconds = parse_time("--time", value);
        return 0;
    case KEY_LIMIT:
        request->limit = parse_time("--limit", value);
        return 0;
    case KEY_THREADS:
        request->workers = parse_workers(value);
        return 0;
    case KEY_SEED:
        request->seed = parse_number("--seed", value, INT64_MAX);
        return 0;
    case KEY_SCENARIO:
        add_scenario(request, value);
        return 0;
    case KEY_REPEAT:
        request->repeats = (unsigned)parse_number("--repeat", value, 1000);
        return 0;
    case KEY_OUTPUT:
        request->folder = value;
        return 0;
    case KEY_KNOWN:
        request->known_path = value;
        return 0;
    case KEY_BINDING:
        request->binding = parse_binding(value);
        return 0;
    case ARGP_KEY_ARG:
        if (request->subject != NULL)
            argp_error(state, "one SUBJECT at a time, `%s` is one more", value);
        request->subject = value;
        return 0;
    case ARGP_KEY_END:
        finish(request, state);
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
    } counts[] = {{result->calls, "calls"},
                  {result->lives, "thread lives"},
                  {result->forks, "forks"},
                  {result->interruptions, "interruptions"}};
    printf("%-18s %u threads, %.1f s, %u processes", outcome->plan.scenario->name,
           outcome->plan.workers, result->elapsed_ms / 1000.0, result->processes);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        char text[24];
        print_number(text, counts[i].number);
        if (counts[i].number > 0)
            printf(", %s %s", text, counts[i].unit);
    }
}

static void print_outcome(const struct torture *torture, const struct scenario_outcome *outcome)
{
    const struct torture_result *result = &outcome->result;
    print_work(outcome);
    if (!result->has_finding) {
        printf(": no finding\n");
        return;
    }
    printf(": %s %s\n", outcome->is_known ? "known:" : "FINDING",
           check_name(result->verdict.check));
    printf("  what        %s\n", outcome->finding.sentence);
    printf("  call        %s\n", outcome->call);
    if (result->output[0] != '\0')
        printf("  output      %s\n", outcome->finding.output);
    printf("  seed        %llu, %s, %s\n", (unsigned long long)result->seed,
           result->on_one_processor ? "on one processor" : "on all processors",
           result->pace_us != 0 ? "interrupted" : "not interrupted");
    if (torture->request->repeats > 0 && !outcome->is_known)
        printf("  reproduced  %u of %u, each in at most twice the time\n", outcome->times,
               torture->request->repeats);
    if (outcome->program[0] != '\0')
        printf("  program     %s\n", outcome->program);
}

static json_t *make_json(const struct torture *torture, const struct scenario_outcome *outcome)
{
    const struct torture_result *result = &outcome->result;
    json_t *object = json_pack("{s:s, s:i, s:f, s:i, s:I, s:I, s:I, s:I, s:s}", "scenario",
                               outcome->plan.scenario->name, "threads", (int)outcome->plan.workers,
                               "seconds", result->elapsed_ms / 1000.0, "processes",
                               (int)result->processes, "calls", (json_int_t)result->calls, "lives",
                               (json_int_t)result->lives, "forks", (json_int_t)result->forks,
                               "interruptions", (json_int_t)result->interruptions, "result",
                               !result->has_finding ? "no finding"
                               : outcome->is_known  ? "known"
                                                    : "finding");
    if (!result->has_finding)
        return object;
    json_t *thread =
        result->verdict.op == VERDICT_NO_OP ? json_null() : json_integer(result->verdict.op);
    json_object_set_new(
        object, "finding",
        json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:I, s:b, s:b, s:{s:i, s:i}, s:s, s:s}",
                  "subject", torture->subject.name, "check", check_name(result->verdict.check),
                  "site", result->verdict.site, "thread", thread, "call", outcome->call, "sentence",
                  outcome->finding.sentence, "seed", (json_int_t)result->seed, "on_one_processor",
                  (int)result->on_one_processor, "interrupted", (int)(result->pace_us != 0),
                  "reproduced", "times", (int)outcome->times, "of",
                  outcome->is_known ? 0 : (int)torture->request->repeats, "output",
                  outcome->finding.output, "program", outcome->program));
    return object;
}

static int write_program(const struct torture *torture, struct scenario_outcome *outcome)
{
    char error[OUTPUT_ERROR_MAX], path[PATH_MAX];
    struct output output;
    snprintf(path, sizeof path, "%.3800s/%.64s-%s-%s.c", torture->request->folder,
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

/* A new finding: how often does it come back, and a program for it. */
static int follow_up(struct torture *torture, struct scenario_outcome *outcome)
{
    char error[SUBJECT_ERROR_MAX];
    torture->findings++;
    if (torture_reproduce(&outcome->plan, &outcome->result, torture->request->repeats,
                          &outcome->times, error) != 0)
        return report_internal_error("%s", error);
    return torture->request->folder != NULL ? write_program(torture, outcome) : EXIT_CLEAN;
}

/* Runs what is left of the time, reports what came of it. */
static int run_once(struct torture *torture, struct scenario_outcome *outcome)
{
    char error[SUBJECT_ERROR_MAX];
    if (torture_run(&outcome->plan, &outcome->result, error) != 0)
        return report_internal_error("%s: %s", outcome->plan.scenario->name, error);
    finding_make(&outcome->finding, torture->subject.name, &outcome->result.verdict,
                 outcome->result.output);
    finding_copy_text(outcome->call, sizeof outcome->call, outcome->result.call);
    outcome->is_known =
        outcome->result.has_finding && baseline_find(&torture->baseline, &outcome->finding) != NULL;
    torture->known_findings += outcome->is_known;
    int status = outcome->result.has_finding && !outcome->is_known ? follow_up(torture, outcome)
                                                                   : EXIT_CLEAN;
    if (status != EXIT_CLEAN)
        return status;
    if (torture->list != NULL)
        json_array_append_new(torture->list, make_json(torture, outcome));
    else
        print_outcome(torture, outcome);
    fflush(stdout);
    return EXIT_CLEAN;
}

/* After a finding that does no harm to the rest the scenario goes on without that check. */
static int run_scenario(struct torture *torture, const struct torture_scenario *scenario)
{
    const struct request *request = torture->request;
    struct torture_plan plan = {.subject = &torture->subject,
                                .scenario = scenario,
                                .workers = request->workers,
                                .milliseconds = request->seconds * 1000,
                                .seed = request->seed};
    for (bool goes_on = true; goes_on;) {
        struct scenario_outcome outcome = {.plan = plan};
        int status = run_once(torture, &outcome);
        if (status != EXIT_CLEAN)
            return status;
        goes_on = outcome.result.has_finding && torture_mute(&plan, &outcome.result);
    }
    return EXIT_CLEAN;
}

static void leave_out(struct torture *torture, const struct torture_scenario *scenario)
{
    torture->left_out++;
    if (torture->list != NULL)
        json_array_append_new(torture->list, json_pack("{s:s, s:s}", "scenario", scenario->name,
                                                       "result", "not run"));
    else
        printf("%-18s not run: the time was over\n", scenario->name);
}

static int print_summary(struct torture *torture)
{
    const struct request *request = torture->request;
    if (torture->list == NULL)
        printf("%s: %zu scenarios, %zu findings, %zu known; what was not seen in this time may "
               "still be there\n",
               torture->subject.name, request->scenario_count, torture->findings,
               torture->known_findings);
    else if (report_print_json(json_pack(
                 "{s:s, s:I, s:O, s:I, s:I, s:I}", "subject", torture->subject.name, "seed",
                 (json_int_t)request->seed, "scenarios", torture->list, "findings",
                 (json_int_t)torture->findings, "known", (json_int_t)torture->known_findings,
                 "not_run", (json_int_t)torture->left_out)) != 0)
        return report_internal_error("no memory for the report");
    return torture->findings > 0 ? EXIT_FINDINGS : EXIT_CLEAN;
}

static int torture_subject(const struct request *request)
{
    struct torture torture = {.request = request};
    char error[SUBJECT_ERROR_MAX], known_error[BASELINE_ERROR_MAX];
    struct stat status;
    if (request->folder != NULL &&
        (stat(request->folder, &status) != 0 || !S_ISDIR(status.st_mode)))
        return refuse("--output: %s: %s", request->folder, strerror(errno != 0 ? errno : ENOTDIR));
    if (executor_find_subject(&torture.subject, request->subject, request->binding,
                              SUBJECT_WHOLE_PROCESS, error) != 0)
        return refuse("%s", error);
    if (request->known_path != NULL &&
        baseline_read(&torture.baseline, request->known_path, known_error) != 0) {
        baseline_done(&torture.baseline);
        return refuse("%s", known_error);
    }
    torture.list = request->as_json ? json_array() : NULL;
    int result = EXIT_CLEAN;
    time_t start = time(NULL);
    for (size_t i = 0; i < request->scenario_count && result == EXIT_CLEAN; i++)
        if (request->limit == 0 || time(NULL) - start < (time_t)request->limit)
            result = run_scenario(&torture, request->scenarios[i]);
        else
            leave_out(&torture, request->scenarios[i]);
    if (result == EXIT_CLEAN)
        result = print_summary(&torture);
    json_decref(torture.list);
    baseline_done(&torture.baseline);
    return result;
}

static int list_scenarios(void)
{
    for (size_t i = 0; torture_scenario_at(i) != NULL; i++)
        printf("%-18s %s\n", torture_scenario_at(i)->name, torture_scenario_at(i)->text);
    return EXIT_CLEAN;
}

int command_torture(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"threads", KEY_THREADS, "N", 0, "Threads at a time, 6 to 32 (default 8)", 0},
        {"time", KEY_TIME, "TIME", 0,
         "For each scenario (default 10); what it finds is repeated on top of it", 0},
        {"limit", KEY_LIMIT, "TIME", 0, "Begin no scenario after that time in all", 0},
        {"seed", KEY_SEED, "N", 0, "Of the first process (default 1)", 0},
        {"scenario", KEY_SCENARIO, "NAME", 0, "Only this one; may be given several times", 0},
        {"repeat", KEY_REPEAT, "N", 0, "Run a finding so often again (default 5)", 0},
        {"known", KEY_KNOWN, "FILE", 0,
         "Pass over the findings in FILE, one `SUBJECT CHECK SCENARIO` a line", 0},
        {"output", KEY_OUTPUT, "DIR", 0, "Write a standalone C program for each finding", 0},
        {"binding", KEY_BINDING, "HOW", 0,
         "auto, static, dlopen, dlmopen or preload (default: preload what can be)", 0},
        {"json", KEY_JSON, NULL, 0, "Print JSON", 0},
        {"list", KEY_LIST, NULL, 0, "Only list the scenarios", 0},
        {0},
    };
    static const struct argp argp = {.options = options,
                                     .parser = parse_option,
                                     .args_doc = "SUBJECT",
                                     .doc = "Threads that run freely on an allocator: blocks "
                                            "change hands and every byte is checked, threads come "
                                            "and go, fork and exit while others allocate, and "
                                            "signals interrupt them at random instants."};
    struct request request = {.workers = DEFAULT_WORKERS,
                              .seconds = DEFAULT_SECONDS,
                              .repeats = DEFAULT_REPEATS,
                              .seed = 1};
    argp_parse(&argp, argc, argv, 0, NULL, &request);
    return request.is_list ? list_scenarios() : torture_subject(&request);
}
