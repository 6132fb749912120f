/* SPDX-License-Identifier: MIT */
/*
 * replay: run traces on one allocator, each in a fresh process, and check every call. This file
 * reads the request, finds the traces and adds up the results; replay.h lists the ways to run one
 * trace.
 */
#include "mallet/replay.h"

#include "harness/base/text.h"
#include "mallet/command.h"
#include "mallet/cost.h"
#include "mallet/file_list.h"
#include "mallet/report.h"
#include "mallet/trace_file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    KEY_ROUNDS = 'r',
    KEY_STRICT = 's',
    KEY_BINDING = 'b',
    KEY_FUZZ_FILL = 1000, /* long options only */
    KEY_COST,
    KEY_FAIL_OS,
    KEY_FAIL_PAIRS,
    KEY_FAIL_MAX,
    KEY_DEAL,
    NUMBER_MAX = 1000000,
    DEALS_MAX = 10000
};

static uint32_t parse_count(const char *option, const char *value, uint32_t min, uint32_t max)
{
    return (uint32_t)cli_parse_number(option, value, min, max);
}

static error_t parse_fault_option(int key, char *value, struct replay_request *request)
{
    switch (key) {
    case KEY_FAIL_OS:
        request->fail_os =
            strcmp(value, "all") == 0 ? 0 : parse_count("--fail-os", value, 1, NUMBER_MAX);
        break;
    case KEY_FAIL_PAIRS:
        request->has_fail_pairs = true;
        break;
    case KEY_FAIL_MAX:
        request->fail_max = parse_count("--fail-max", value, 0, NUMBER_MAX);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    request->is_failing_os = true;
    return 0;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct replay_request *request = state->input;
    switch (key) {
    case KEY_STRICT:
        request->is_strict = true;
        return 0;
    case KEY_FUZZ_FILL:
        request->is_fuzz_fill = true;
        return 0;
    case KEY_COST:
        request->is_cost = true;
        return 0;
    case KEY_DEAL:
        request->deals = parse_count("--deal", value, 1, DEALS_MAX);
        return 0;
    case KEY_BINDING:
        request->binding =
            (enum subject_binding)cli_parse_choice("--binding", value, subject_binding_name);
        return 0;
    case KEY_ROUNDS:
        request->has_rounds = true;
        request->rounds = parse_count("--rounds", value, 0, NUMBER_MAX);
        return 0;
    case ARGP_KEY_ARG:
        if (request->cli.subject == NULL)
            return ARGP_ERR_UNKNOWN;
        request->paths[request->path_count++] = value;
        return 0;
    case ARGP_KEY_END:
        if (request->path_count == 0)
            argp_error(state, "FILE or DIR is missing");
        return 0;
    default:
        return parse_fault_option(key, value, request);
    }
}

/* Runs static anvil in this process: only there do the two times differ by the checks alone. */
static int measure_cost(struct replay *replay, const char *path, const struct trace *trace)
{
    struct cost cost;
    char error[SUBJECT_ERROR_MAX];
    struct run_options options = replay_options(replay, trace);
    /* what every op pays; the rest is a matter of cadence */
    options.rounds = options.sweep_every = options.heap_check_every = 0;
    if (cost_measure(replay->request->cli.subject, trace, &options, &cost, error) != 0)
        return report_internal_error("%s: %s", path, error);
    if (replay->list != NULL)
        json_array_append_new(replay->list,
                              json_pack("{s:o, s:f, s:f, s:f}", "file", cli_json_text(path),
                                        "checked_us", cost.checked_us, "unchecked_us",
                                        cost.unchecked_us, "ratio",
                                        cost.checked_us / cost.unchecked_us));
    else
        printf("cost     %s: checked %.1f us, unchecked %.1f us, ratio %.2f (medians of %d)\n",
               path, cost.checked_us, cost.unchecked_us, cost.checked_us / cost.unchecked_us,
               COST_SAMPLES);
    return EXIT_CLEAN;
}

static int replay_file(struct replay *replay)
{
    struct trace trace;
    char error[TRACE_FILE_ERROR_MAX];
    const char *path = replay->file->path;
    if (trace_file_read(path, &trace, error) != 0)
        return refuse("%s", error);
    int status = replay->request->is_cost         ? measure_cost(replay, path, &trace)
                 : replay->request->is_failing_os ? replay_faults(replay, &trace)
                 : replay->request->deals > 0     ? replay_dealt(replay, &trace)
                                                  : replay_trace(replay, &trace);
    trace_file_done(&trace);
    return status;
}

static json_t *make_fault_json(const struct replay *replay)
{
    json_t *calls = json_object();
    for (unsigned i = 0; i < OS_CALL_COUNT; i++)
        json_object_set_new(calls, os_call_name((enum os_call)i),
                            json_integer((json_int_t)replay->failed_calls[i]));
    return json_pack("{s:I, s:I, s:o}", "faults", (json_int_t)replay->faults, "left_out",
                     (json_int_t)replay->faults_left_out, "failed_calls", calls);
}

/* A file in which nothing was found by itself; one with findings was printed with each. */
static void print_file(struct replay *replay)
{
    const struct replay_file *file = replay->file;
    const char *result = file->shows_again ? "again" : file->has_open_growth ? "open" : "ok";
    replay->passed += !file->has_finding && !file->shows_again;
    replay->again += !file->has_finding && file->shows_again;
    replay->open += file->has_open_growth;
    if (file->has_finding || replay->request->is_failing_os || replay->request->is_cost)
        return;
    if (replay->list != NULL)
        json_array_append_new(replay->list, json_pack("{s:o, s:s}", "file",
                                                      cli_json_text(file->path), "result", result));
    else
        printf("%-8s %s\n", result, file->path);
}

static void print_sums(const struct replay *replay)
{
    printf("%zu passed, %zu failed\n", replay->passed, replay->failed);
    if (replay->request->is_failing_os) {
        printf("%zu fault%s; OS calls that failed: ", replay->faults, text_plural(replay->faults));
        replay_print_calls(replay->failed_calls);
        putchar('\n');
    }
    if (replay->again > 0)
        printf("%zu trace%s showed only what others had shown\n", replay->again,
               text_plural(replay->again));
    if (replay->open > 0)
        printf("%zu trace%s grew memory to the last cycle, too few to tell a leak from a cache\n",
               replay->open, text_plural(replay->open));
    if (replay->expected > 0)
        printf("%zu expected finding%s\n", replay->expected, text_plural(replay->expected));
    if (replay->not_run > 0)
        printf("%zu trace%s not run: %s\n", replay->not_run, text_plural(replay->not_run),
               cli_why_over());
    if (replay->not_cycled > 0)
        printf("%zu trace%s not repeated in cycles: %s\n", replay->not_cycled,
               text_plural(replay->not_cycled), cli_why_over());
}

/* {CHECK: how often it was evaluated}. */
static json_t *make_evaluated_json(const struct replay *replay)
{
    json_t *evaluated = json_object();
    for (unsigned i = 0; i < CHECK_COUNT; i++) {
        uint64_t times = executor_evaluated(replay->executor, (enum check)i);
        json_object_set_new(evaluated, check_name((enum check)i), json_integer((json_int_t)times));
    }
    return evaluated;
}

static int print_summary(struct replay *replay, const struct cli_work *work)
{
    const char *subject = executor_info(replay->executor)->subject.name;
    if (replay->list != NULL) {
        json_t *document = json_pack(
            "{s:s, s:O, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "subject", subject, "traces",
            replay->list, "passed", (json_int_t)replay->passed, "failed",
            (json_int_t)replay->failed, "again", (json_int_t)replay->again, "expected",
            (json_int_t)replay->expected, "not_run", (json_int_t)replay->not_run, "not_cycled",
            (json_int_t)replay->not_cycled, "open", (json_int_t)replay->open);
        if (replay->request->is_failing_os)
            json_object_update_new(document, make_fault_json(replay));
        json_object_set_new(document, "evaluated", make_evaluated_json(replay));
        cli_add_work(document, work);
        if (cli_print_json(document) != EXIT_CLEAN)
            return EXIT_INTERNAL;
    } else if (!replay->request->is_cost) {
        print_sums(replay);
    }
    return cli_conclude(replay->counting, work);
}

bool replay_is_over(const struct replay *replay)
{
    return cli_is_over(&replay->request->cli, replay->file_index, replay->counting);
}

void replay_show_progress(const struct replay *replay)
{
    const char *slash = strrchr(replay->file->path, '/');
    static const char *const done[] = {"checked", "in cycles", "in more cycles"};
    cli_show_progress("%zu of %zu traces %s, %zu finding%s so far; now: %s", replay->file_index,
                      replay->file_count, done[replay->pass], replay->failed,
                      text_plural(replay->failed), slash != NULL ? slash + 1 : replay->file->path);
}

static bool is_of_pass(const struct replay *replay, const struct replay_file *file)
{
    return replay->pass != PASS_GROWTH || file->has_open_growth;
}

/* *ret_left: how many files it did not get through. Stops at the first that cannot be read or run;
 * findings do not stop it. */
static int replay_pass(struct replay *replay, enum replay_pass pass, size_t *ret_left)
{
    int status = EXIT_CLEAN;
    bool is_over = false;
    replay->pass = pass;
    *ret_left = 0;
    for (size_t i = 0; i < replay->file_count; i++) {
        replay->file = &replay->files[i];
        replay->file_index = i;
        if (!is_of_pass(replay, replay->file))
            continue;
        is_over = is_over || status != EXIT_CLEAN || replay_is_over(replay);
        *ret_left += is_over;
        if (is_over)
            continue;
        replay->file->has_open_growth = false;
        status = replay_file(replay);
        *ret_left += status != EXIT_CLEAN;
    }
    return status;
}

/* A trace is done when its growth was followed as far as can be afforded. */
static int replay_cycles(struct replay *replay, struct cli_work *work)
{
    size_t not_followed = 0;
    int status = replay_pass(replay, PASS_CYCLES, &replay->not_cycled);
    if (status == EXIT_CLEAN && !replay->request->is_failing_os)
        status = replay_pass(replay, PASS_GROWTH, &not_followed);
    work->done = replay->file_count - replay->not_cycled - not_followed;
    return status;
}

static bool has_cycles(const struct replay_request *request)
{
    return !request->is_cost && (!request->has_rounds || request->rounds > 0);
}

static int replay_passes(struct replay *replay)
{
    const struct replay_request *request = replay->request;
    struct cli_work work = {.minimum = replay->file_count};
    int status = replay_pass(replay, PASS_CHECK, &replay->not_run);
    replay->file_count -= replay->not_run;
    work.done = replay->file_count;
    if (status == EXIT_CLEAN && has_cycles(request))
        status = replay_cycles(replay, &work);
    if (status != EXIT_CLEAN && status != EXIT_INTERRUPTED)
        return status;
    if (request->fail_os > replay->most_os_calls && replay->not_run == 0)
        return refuse("--fail-os: no trace makes %u OS calls: %zu at most", request->fail_os,
                      replay->most_os_calls);
    cli_hide_progress();
    for (size_t i = 0; i < replay->file_count; i++) {
        replay->file = &replay->files[i];
        print_file(replay);
    }
    return print_summary(replay, &work);
}

static int replay_all(struct replay *replay, const struct file_list *list)
{
    replay->files = calloc(list->count + 1, sizeof *replay->files);
    if (replay->files == NULL)
        return report_internal_error("no memory");
    replay->file_count = list->count;
    for (size_t i = 0; i < list->count; i++)
        replay->files[i].path = list->paths[i];
    int status = replay_passes(replay);
    free(replay->files);
    return status;
}

/* A file that cannot be read must not end a run halfway. What can be read only once, such as
 * standard input, is not read here. */
static int check_files(const struct file_list *files)
{
    char error[TRACE_FILE_ERROR_MAX];
    for (size_t i = 0; i < files->count; i++) {
        struct stat status;
        struct trace trace;
        if (stat(files->paths[i], &status) != 0 || !S_ISREG(status.st_mode))
            continue;
        if (trace_file_read(files->paths[i], &trace, error) != 0)
            return refuse("%s", error);
        trace_file_done(&trace);
    }
    return EXIT_CLEAN;
}

static int replay_files(const struct replay_request *request, const struct file_list *files)
{
    static struct replay replay;
    const struct executor_options options = {.binding = request->binding,
                                             .has_capacity = request->cli.has_capacity,
                                             .capacity = request->cli.capacity,
                                             .is_cancelled = cli_is_interrupted};
    char error[SUBJECT_ERROR_MAX];
    replay = (struct replay){.request = request};
    int status = cli_findings_open(&replay.findings, &request->cli);
    if (status == EXIT_CLEAN &&
        executor_start(&replay.executor, request->cli.subject, &options, error) != 0)
        status = refuse("%s", error);
    else if (status == EXIT_CLEAN && request->deals > 0 &&
             (executor_info(replay.executor)->subject.offers >> SUBJECT_threads & 1) == 0) {
        executor_stop(replay.executor);
        status = refuse("--deal: only one thread may call %s", request->cli.subject);
    }
    if (status == EXIT_CLEAN) {
        replay.list = request->cli.as_json ? json_array() : NULL;
        cli_catch_interrupts();
        status = replay_all(&replay, files);
        json_decref(replay.list);
        executor_stop(replay.executor);
    }
    return cli_findings_close(&replay.findings, status);
}

static int replay_request(const struct replay_request *request)
{
    struct file_list files = {0};
    char error[FILE_LIST_ERROR_MAX];
    int status = EXIT_CLEAN;
    if (request->is_cost + request->is_failing_os + (request->deals > 0) > 1)
        return refuse("only one of --cost, --deal and the --fail-… options can be given");
    if (request->is_cost && subject_anvil_options(request->cli.subject) == NULL)
        return refuse("--cost: only anvil can be measured, not `%s`", request->cli.subject);
    for (size_t i = 0; i < request->path_count && status == EXIT_CLEAN; i++)
        if (file_list_add(&files, request->paths[i], error) != 0)
            status = refuse("%s", error);
    if (status == EXIT_CLEAN)
        status = check_files(&files);
    if (status == EXIT_CLEAN)
        status = replay_files(request, &files);
    file_list_done(&files);
    return status;
}

int command_replay(int argc, char **argv)
{
    static const struct cli_spec spec = {.takes = CLI_AT_LEAST | CLI_JSON | CLI_FINDINGS |
                                                  CLI_LIMIT | CLI_CAPACITY,
                                         .subjects_min = 1,
                                         .subjects_max = 1};
    static const struct argp_option options[] = {
        {"rounds", KEY_ROUNDS, "N", 0,
         "Repeat each trace in N identical cycles, and more while memory grows, to see "
         "whether that ends; 0: never",
         0},
        {"strict-align", KEY_STRICT, NULL, 0,
         "Require 16-byte alignment also for blocks smaller than 16 bytes (C17)", 0},
        {"binding", KEY_BINDING, "HOW", 0,
         "auto (default), static, dlopen, dlmopen, preload or host", 0},
        {"fuzz-fill", KEY_FUZZ_FILL, NULL, 0,
         "Fill blocks above 4096 bytes in samples only, as fuzzing does", 0},
        {"fail-os", KEY_FAIL_OS, "K", 0,
         "Make the Kth call for memory to the operating system fail; all: run each trace once for "
         "every such call",
         0},
        {"fail-pairs", KEY_FAIL_PAIRS, NULL, 0,
         "As --fail-os all, and a second call fails after the first: run once for every pair", 0},
        {"fail-max", KEY_FAIL_MAX, "N", 0,
         "With --fail-os or --fail-pairs: at most N replays of one trace", 0},
        {"deal", KEY_DEAL, "N", 0,
         "Distribute the calls of each trace over threads, in N fixed ways", 0},
        {"cost", KEY_COST, NULL, 0,
         "Only measure what the checks of each op cost: time with and without (anvil only)", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "SUBJECT FILE|DIR…",
        .doc = "Run traces on an allocator, each in a fresh process, and check every call. In a "
               "folder, every *.trace and *.bin file is run, subfolders included."};
    struct replay_request request = {.paths = calloc((size_t)argc, sizeof *request.paths)};
    if (request.paths == NULL)
        return report_internal_error("no memory");
    cli_parse(&spec, &argp, argc, argv, &request.cli, &request);
    int status = replay_request(&request);
    free(request.paths);
    return status;
}
