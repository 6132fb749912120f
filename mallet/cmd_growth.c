/* SPDX-License-Identifier: MIT */
/*
 * growth: footprint and scaling of one allocator, one workload after the other. growth.h runs them;
 * each result is printed as it arrives, or collected for one JSON document.
 */
#include "adversity/growth/growth.h"
#include "adversity/growth/program.h"
#include "harness/base/text.h"
#include "harness/cli/findings.h"
#include "harness/cli/output.h"
#include "harness/executor/executor.h"
#include "harness/finding/finding_json.h"
#include "mallet/command.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORKLOADS_MAX = 64,
    KEY_WORKLOAD = 'w',
    KEY_QUICK = 'q',
    KEY_BAND = 'b',
    KEY_TIME = 't',
    KEY_BOUND = 1000,
    ROOM_COLUMNS = 8
};

struct request {
    struct cli cli;
    const char *workloads[WORKLOADS_MAX];
    size_t workload_count;
    bool is_quick;
    size_t size;
    double bound;
};

struct growth {
    const struct request *request;
    struct subject_plan subject;
    json_t *list;                   /* NULL unless --json */
    size_t counts[GROWTH_OUTCOMES]; /* of findings: those that are new */
    size_t expected;
    struct cli_findings findings;
    int status; /* of the programs */
};

static size_t parse_band(const char *text)
{
    size_t size = cli_parse_number("--band", text, 0, SIZE_MAX);
    if (!growth_has_band(size))
        exit(refuse("--band: `%s` is none of 16, 64, 256, … 67108864", text));
    return size;
}

static double parse_bound(const char *text)
{
    char *end;
    double bound = strtod(text, &end);
    if (end == text || *end != '\0' || !(bound >= 1) || bound > 1e6)
        exit(refuse("--bound: `%s` is no number from 1 to 1000000", text));
    return bound;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case KEY_WORKLOAD:
        if (workloads_find(value) == NULL)
            exit(refuse("--workload: there is no workload `%s`; `mallet growth --list` shows them",
                        value));
        if (request->workload_count == WORKLOADS_MAX)
            exit(
                refuse("--workload: at most %d workloads, `%s` is one more", WORKLOADS_MAX, value));
        request->workloads[request->workload_count++] = value;
        return 0;
    case KEY_QUICK:
        request->is_quick = true;
        return 0;
    case KEY_TIME:
        request->cli.limit = cli_parse_time("--time", value);
        return 0;
    case KEY_BOUND:
        request->bound = parse_bound(value);
        return 0;
    case KEY_BAND:
        request->size = parse_band(value);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- what a result looks like ---- */

static const char *kind_name(enum workload_kind kind)
{
    return check_name(kind == WORKLOAD_FOOTPRINT || kind == WORKLOAD_ROOM ? CHECK_FOOTPRINT
                                                                          : CHECK_SCALING);
}

/* Appends to a text that may be full. */
static void append(char *text, size_t capacity, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void append(char *text, size_t capacity, const char *format, ...)
{
    va_list arguments;
    size_t used = strlen(text);
    va_start(arguments, format);
    vsnprintf(text + used, capacity - used, format, arguments);
    va_end(arguments);
}

static void format_numbers(const struct growth_result *result, char *ret_text, size_t capacity)
{
    const struct footprint *footprint = &result->footprint;
    ret_text[0] = '\0';
    if (result->workload->kind == WORKLOAD_FOOTPRINT && footprint->peak_live != 0)
        append(ret_text, capacity, "%zu rounds, live %.1f MiB, held %.1f MiB", result->count,
               (double)footprint->peak_live / (1 << 20), (double)footprint->highest / (1 << 20));
    for (unsigned i = 0; i < result->cost_count; i++)
        append(ret_text, capacity, "%s%.0f", i == 0 ? "" : ", ", result->costs[i]);
    if (result->cost_count > 0)
        append(ret_text, capacity, result->has_instructions ? " instructions" : " ns");
    if (result->has_os_calls)
        append(ret_text, capacity, "%s%.3f OS calls", ret_text[0] != '\0' ? ", " : "",
               result->os_calls);
    if (result->has_os_calls && result->workload->kind == WORKLOAD_APPENDS)
        append(ret_text, capacity, ", %.1f bytes copied for each appended", result->moved);
    if (result->room_count > 0)
        append(ret_text, capacity, "resident bytes for each live one");
}

static void print_size(size_t size)
{
    if (size >= 1 << 20 && size % (1 << 20) == 0)
        printf(" %zuM", size >> 20);
    else if (size >= 1 << 10 && size % (1 << 10) == 0)
        printf(" %zuK", size >> 10);
    else
        printf(" %zu", size);
}

/* A line for each size that blocks are made from; at rest, one in all. Little is not put in
 * proportion: it is tables of the allocator. */
static void print_room(const struct growth_result *result)
{
    const struct growth_room *previous = NULL;
    for (unsigned i = 0; i < result->room_count; i++) {
        const struct growth_room *room = &result->room[i];
        bool is_pair = room->row.count != 0;
        bool is_line = previous == NULL ||
                       (is_pair ? room->row.size != previous->row.size : i % ROOM_COLUMNS == 0);
        if (is_line)
            printf(previous != NULL ? "\n  " : "  ");
        if (is_line && is_pair) {
            print_size(room->row.size);
            printf(" to");
        }
        print_size(is_pair ? room->row.count : room->row.size);
        if (room->resident <= GROWTH_ROOM_SLACK)
            printf(": -");
        else
            printf(": %.2f", (double)room->resident / (double)room->live);
        previous = room;
    }
    if (previous != NULL)
        printf("\n");
}

static json_t *make_room(const struct growth_result *result)
{
    json_t *rows = json_array();
    for (unsigned i = 0; i < result->room_count; i++) {
        const struct growth_room *room = &result->room[i];
        json_array_append_new(
            rows, json_pack("{s:I, s:I, s:I, s:I}", "size", (json_int_t)room->row.size, "to",
                            (json_int_t)room->row.count, "live", (json_int_t)room->live, "resident",
                            (json_int_t)room->resident));
    }
    return rows;
}

static json_t *make_numbers(const struct growth_result *result)
{
    json_t *numbers = json_object();
    if (result->workload->kind == WORKLOAD_FOOTPRINT) {
        json_object_set_new(numbers, "rounds", json_integer((json_int_t)result->count));
        json_object_set_new(numbers, "peak_live",
                            json_integer((json_int_t)result->footprint.peak_live));
        json_object_set_new(numbers, "resident",
                            json_integer((json_int_t)result->footprint.highest));
        json_t *quarters = json_array();
        for (int i = 0; i < 4; i++)
            json_array_append_new(quarters,
                                  json_integer((json_int_t)result->footprint.quarters[i]));
        json_object_set_new(numbers, "quarters", quarters);
    }
    if (result->cost_count > 0) {
        json_t *costs = json_array();
        for (unsigned i = 0; i < result->cost_count; i++)
            json_array_append_new(costs, json_real(result->costs[i]));
        json_object_set_new(numbers, result->has_instructions ? "instructions" : "cpu_ns", costs);
    }
    if (result->has_os_calls)
        json_object_set_new(numbers, "os_calls", json_real(result->os_calls));
    if (result->workload->kind == WORKLOAD_APPENDS && result->has_os_calls)
        json_object_set_new(numbers, "moved", json_real(result->moved));
    if (result->room_count > 0)
        json_object_set_new(numbers, "room", make_room(result));
    return numbers;
}

static const char *result_word(const struct growth_result *result, const struct finding *finding)
{
    return finding != NULL && finding->expected != NULL ? "expected"
                                                        : growth_outcome_name(result->outcome);
}

/* finding NULL: it is none. */
static void add_json(struct growth *growth, const struct growth_result *result,
                     const struct finding *finding)
{
    json_t *entry =
        json_pack("{s:s, s:s, s:I, s:s, s:o}", "workload", result->workload->job.name, "check",
                  kind_name(result->workload->kind), "size", (json_int_t)result->size, "result",
                  result_word(result, finding), "numbers", make_numbers(result));
    if (result->outcome != GROWTH_CLEAN)
        json_object_set_new(entry, "sentence", json_string(result->sentence));
    if (finding != NULL)
        json_object_set_new(entry, "finding", finding_to_json(finding));
    json_array_append_new(growth->list, entry);
}

static void print_finding(const struct finding *finding)
{
    printf("  %s: %s\n", finding->check, finding->sentence);
    if (finding->attempts > 0)
        printf("  reproduced %u of %u\n", finding->reproduced, finding->attempts);
    if (finding->output[0] != '\0')
        printf("  output: %s\n", finding->output);
    if (finding->program != NULL)
        printf("  program: %s\n", finding->program);
}

static void print_result(const struct growth_result *result, const struct finding *finding)
{
    bool is_expected = finding != NULL && finding->expected != NULL;
    const char *word = result->outcome == GROWTH_CLEAN ? "ok"
                       : result->outcome == GROWTH_FINDING && !is_expected
                           ? "FINDING"
                           : result_word(result, finding);
    char numbers[200];
    format_numbers(result, numbers, sizeof numbers);
    printf("%-8s %-24s %s\n", word, result->site,
           result->outcome >= GROWTH_SKIPPED ? result->sentence : numbers);
    print_room(result);
    if (finding != NULL)
        print_finding(finding);
    else if (result->outcome == GROWTH_NOTE)
        printf("  %s\n", result->sentence);
    fflush(stdout);
}

/* ---- programs ---- */

static bool write_program(struct growth *growth, const struct growth_result *result,
                          char ret_path[PATH_MAX])
{
    char error[OUTPUT_ERROR_MAX], name[VERDICT_SITE_MAX];
    struct output output;
    snprintf(name, sizeof name, "%s", result->site);
    for (char *letter = name; *letter != '\0'; letter++)
        if (*letter == '/')
            *letter = '-';
    snprintf(ret_path, PATH_MAX, "%.2000s/%.64s-%s.c", growth->request->cli.output,
             growth->subject.name, name);
    int failed = output_open(&output, ret_path, error);
    if (failed == 0) {
        int incomplete = growth_program(output.file, growth->subject.name, result);
        failed = output_close(&output, error);
        if (failed == 0 && incomplete != 0)
            snprintf(error, sizeof error, "%.200s: %s", ret_path, strerror(failed = incomplete));
    }
    if (failed != 0)
        growth->status = refuse("%s", error);
    return failed == 0;
}

/* What an allocator may choose to have is not held against it: it is a note of no class. */
static bool is_accusing(const struct growth_result *result)
{
    return result->outcome == GROWTH_FINDING ||
           (result->outcome == GROWTH_NOTE && result->check != CHECK_COUNT && !result->is_choice);
}

/* Returns whether it counts: a note does under --strict. */
static bool take_finding(struct growth *growth, const struct growth_result *result,
                         struct finding *finding)
{
    struct verdict verdict = {.check = result->check, .op = VERDICT_NO_OP};
    static char program[PATH_MAX];
    snprintf(verdict.sentence, sizeof verdict.sentence, "%s", result->sentence);
    finding_make(finding, growth->subject.name, &verdict, result->output);
    snprintf(finding->site, sizeof finding->site, "growth/%s", result->site);
    finding->binding = growth->subject.binding;
    finding->reproduced = result->reproduced;
    finding->attempts = result->attempts;
    if (result->outcome == GROWTH_NOTE)
        finding->note = result->reproduced < result->attempts ? "not every fresh process repeats it"
                                                              : "only when dlopened";
    if (growth->request->cli.output != NULL && write_program(growth, result, program))
        finding->program = program;
    else
        finding->extra = json_pack("{s:n}", "program");
    return cli_findings_add(&growth->findings, finding);
}

static void collect(const struct growth_result *measured, void *context)
{
    struct growth *growth = context;
    struct growth_result result = *measured;
    struct finding finding, *found = is_accusing(&result) ? &finding : NULL;
    bool counts = found != NULL && take_finding(growth, &result, found);
    if (counts)
        result.outcome = GROWTH_FINDING;
    if (found != NULL && found->expected != NULL)
        growth->expected++;
    else
        growth->counts[result.outcome]++;
    if (growth->list != NULL)
        add_json(growth, &result, found);
    else {
        cli_hide_progress();
        print_result(&result, found);
    }
    if (found != NULL)
        json_decref(found->extra);
}

static void show_progress(const struct workload *workload, size_t size, void *context)
{
    const struct growth *growth = context;
    size_t found = growth->counts[GROWTH_FINDING], done = 0;
    for (size_t i = 0; i < GROWTH_OUTCOMES; i++)
        done += growth->counts[i];
    cli_show_progress("%zu measured, %zu finding%s so far; now: %s%s%.0zu", done, found,
                      text_plural(found), workload->job.name, size > 0 ? "/" : "", size);
}

/* ---- the command ---- */

static int list_workloads(const struct request *request)
{
    const struct workload *workload;
    json_t *list = request->cli.as_json ? json_array() : NULL;
    for (size_t i = 0; (workload = workloads_at(i)) != NULL; i++)
        if (list != NULL)
            json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "workload", workload->job.name,
                                                  "check", kind_name(workload->kind), "does",
                                                  workload->does));
        else
            printf("%-9s  %-22s %s\n", kind_name(workload->kind), workload->job.name,
                   workload->does);
    return list == NULL ? EXIT_CLEAN : cli_print_json(json_pack("{s:o}", "workloads", list));
}

/* What a workload needs and the subject lacks is no part of the work; a run of nothing else did
 * none. */
static struct cli_work work_of(const struct growth *growth)
{
    const size_t *counts = growth->counts;
    struct cli_work work = {.done = counts[GROWTH_CLEAN] + counts[GROWTH_FINDING] +
                                    counts[GROWTH_NOTE] + growth->expected};
    work.minimum = work.done + counts[GROWTH_NOT_RUN];
    if (work.minimum == 0)
        work.minimum = 1;
    return work;
}

static json_t *make_document(const struct growth *growth, const struct cli_work *work)
{
    const size_t *counts = growth->counts;
    json_t *document = json_pack(
        "{s:s, s:O, s:I, s:I, s:I, s:I, s:I, s:I}", "subject", growth->subject.name, "results",
        growth->list, "clean", (json_int_t)counts[GROWTH_CLEAN], "findings",
        (json_int_t)counts[GROWTH_FINDING], "expected", (json_int_t)growth->expected, "notes",
        (json_int_t)counts[GROWTH_NOTE], "skipped", (json_int_t)counts[GROWTH_SKIPPED], "not_run",
        (json_int_t)counts[GROWTH_NOT_RUN]);
    cli_add_work(document, work);
    return document;
}

static int finish(struct growth *growth)
{
    const size_t *counts = growth->counts, found = counts[GROWTH_FINDING];
    const struct cli_work work = work_of(growth);
    cli_hide_progress();
    if (growth->list == NULL)
        printf("%zu clean, %zu finding%s, %zu expected, %zu note%s, %zu skipped, %zu not run\n",
               counts[GROWTH_CLEAN], found, text_plural(found), growth->expected,
               counts[GROWTH_NOTE], text_plural(counts[GROWTH_NOTE]), counts[GROWTH_SKIPPED],
               counts[GROWTH_NOT_RUN]);
    else if (cli_print_json(make_document(growth, &work)) != EXIT_CLEAN)
        return EXIT_INTERNAL;
    return growth->status != EXIT_CLEAN ? growth->status : cli_conclude(found, &work);
}

static bool is_over(const void *context)
{
    const struct growth *growth = context;
    return cli_is_over(&growth->request->cli, work_of(growth).done, growth->counts[GROWTH_FINDING]);
}

static int run_request(const struct request *request)
{
    struct growth growth = {.request = request};
    char error[SUBJECT_ERROR_MAX];
    if (executor_find_subject(&growth.subject, request->cli.subject, BIND_AUTO, SUBJECT_IN_PROCESS,
                              error) != 0)
        return refuse("%s", error);
    if (request->cli.has_capacity)
        growth.subject.capacity = request->cli.capacity;
    int status = cli_findings_open(&growth.findings, &request->cli);
    if (status == EXIT_CLEAN && request->cli.output != NULL &&
        output_make_folder(request->cli.output, error) != 0)
        status = refuse("--output: %s", error);
    if (status != EXIT_CLEAN)
        return cli_findings_close(&growth.findings, status);
    growth.list = request->cli.as_json ? json_array() : NULL;
    const struct growth_options options = {.subject = &growth.subject,
                                           .workloads = request->workloads,
                                           .workload_count = request->workload_count,
                                           .is_quick = request->is_quick,
                                           .size = request->size,
                                           .bound = request->bound,
                                           .collect = collect,
                                           .progress = show_progress,
                                           .is_cancelled = cli_is_interrupted,
                                           .is_over = is_over,
                                           .context = &growth};
    cli_catch_interrupts();
    int result = growth_run(&options);
    status = result == 0 ? finish(&growth)
                         : report_internal_error("cannot start a process: %s", strerror(result));
    json_decref(growth.list);
    return cli_findings_close(&growth.findings, status);
}

int command_growth(int argc, char **argv)
{
    static const struct cli_spec spec = {.takes = CLI_JSON | CLI_LIST | CLI_FINDINGS | CLI_LIMIT |
                                                  CLI_AT_LEAST | CLI_OUTPUT_FOLDER | CLI_CAPACITY,
                                         .subjects_min = 1,
                                         .subjects_max = 1,
                                         .list_text = "List the workloads and exit"};
    static const struct argp_option options[] = {
        {"workload", KEY_WORKLOAD, "NAME", 0, "Run only the workload NAME; may be repeated", 0},
        {"quick", KEY_QUICK, NULL, 0, "Run a third of the rounds, and every third size", 0},
        {"band", KEY_BAND, "BYTES", 0,
         "Scaling: use only blocks of this size: 16, 64, 256, ... 67108864", 0},
        {"bound", KEY_BOUND, "FACTOR", 0,
         "At rest, and after a realloc, resident memory may be FACTOR times what is live; without "
         "it, more than 4 times is a note",
         0},
        {"time", KEY_TIME, "TIME", 0, "Same as --limit", 0},
        {0},
    };
    static const struct argp argp = {.options = options,
                                     .parser = parse_option,
                                     .args_doc = "SUBJECT",
                                     .doc = "Test whether memory use is bounded by the live "
                                            "blocks, and whether an operation costs the same "
                                            "with few blocks and with many. Each workload runs "
                                            "in processes of its own. A finding shows in "
                                            "three of three runs, a crash or a hang in two."};
    struct request request = {0};
    cli_parse(&spec, &argp, argc, argv, &request.cli, &request);
    return request.cli.is_list ? list_workloads(&request) : run_request(&request);
}
