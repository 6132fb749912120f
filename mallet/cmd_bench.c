/* SPDX-License-Identifier: MIT */
/*
 * bench: allocators side by side. What is run and how results are read is bench/; here is which
 * subjects and workloads a person asked for, and where the reports go.
 */
#include "bench/counters.h"
#include "bench/report.h"
#include "harness/base/proc.h"
#include "harness/cli/output.h"
#include "harness/subject/catalog.h"
#include "mallet/command.h"
#include "mallet/file_list.h"
#include "mallet/trace_file.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATTERNS_MAX = 64,
    DEFAULT_REPEATS = 7,
    SCALE_MAX = 1000,
    KEY_WORKLOAD = 'w',
    KEY_REPEATS = 'r',
    KEY_SCALE = 1000, /* long options only */
    KEY_TRACE,
    KEY_INSTRUCTIONS,
    KEY_OS_CALLS
};

struct request {
    struct cli cli;
    const char *patterns[PATTERNS_MAX];
    size_t pattern_count;
    unsigned repeats, scale;
    bool wants_count[BENCH_COUNTERS];
    struct file_list traces;
};

/* ---- options ---- */

static void add_traces(struct request *request, const char *path)
{
    char error[FILE_LIST_ERROR_MAX];
    if (file_list_add(&request->traces, path, error) != 0)
        exit(refuse("--trace: %s", error));
}

static void want_count(struct request *request, const char *option, enum bench_counter counter)
{
    const char *tool;
    if (!counters_has_tool(counter, &tool))
        exit(refuse("%s: no %s on this machine", option, tool));
    request->wants_count[counter] = true;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case KEY_WORKLOAD:
        if (request->pattern_count == PATTERNS_MAX)
            exit(refuse("--workload: at most %d", PATTERNS_MAX));
        request->patterns[request->pattern_count++] = value;
        return 0;
    case KEY_REPEATS:
        request->repeats =
            (unsigned)cli_parse_number("--repeats", value, BENCH_REPEATS_MIN, BENCH_REPEATS_MAX);
        return 0;
    case KEY_SCALE:
        request->scale = (unsigned)cli_parse_number("--scale", value, 1, SCALE_MAX);
        return 0;
    case KEY_TRACE:
        add_traces(request, value);
        return 0;
    case KEY_INSTRUCTIONS:
        want_count(request, "--instructions", BENCH_INSTRUCTIONS);
        return 0;
    case KEY_OS_CALLS:
        want_count(request, "--os-calls", BENCH_OS_CALLS);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* ---- workloads ---- */

static bool is_wanted(const struct request *request, const char *name, bool *matched)
{
    bool is = request->pattern_count == 0;
    for (size_t i = 0; i < request->pattern_count; i++)
        if (fnmatch(request->patterns[i], name, 0) == 0)
            is = matched[i] = true;
    return is;
}

static int add_workload(struct bench *bench, const struct bench_workload *workload)
{
    return bench_add_workload(bench, workload) == 0 ? EXIT_CLEAN
                                                    : report_internal_error("no memory");
}

static void name_trace(const char *path, char ret_name[WORKLOAD_NAME_MAX])
{
    const char *slash = strrchr(path, '/');
    snprintf(ret_name, WORKLOAD_NAME_MAX, "%.40s", slash != NULL ? slash + 1 : path);
    char *dot = strrchr(ret_name, '.');
    if (dot != NULL)
        *dot = '\0';
}

static int add_trace(struct bench *bench, const char *path, const struct request *request,
                     bool *matched)
{
    char error[TRACE_FILE_ERROR_MAX], name[WORKLOAD_NAME_MAX];
    struct bench_workload workload;
    struct trace trace;
    name_trace(path, name);
    if (trace_file_read(path, &trace, error) != 0)
        return refuse("--trace: %s", error);
    int result = bench_workload_of_trace(&workload, name, &trace, bench->folder);
    trace_file_done(&trace);
    if (result != 0)
        return report_internal_error("cannot write to %s: %s", bench->folder, strerror(result));
    return is_wanted(request, workload.name, matched) ? add_workload(bench, &workload) : EXIT_CLEAN;
}

static int add_workloads(struct bench *bench, const struct request *request)
{
    bool matched[PATTERNS_MAX] = {false};
    int status = EXIT_CLEAN;
    for (size_t i = 0; bench_workload_at(i) != NULL && status == EXIT_CLEAN; i++)
        if (is_wanted(request, bench_workload_at(i)->name, matched))
            status = add_workload(bench, bench_workload_at(i));
    for (size_t i = 0; i < request->traces.count && status == EXIT_CLEAN; i++)
        status = add_trace(bench, request->traces.paths[i], request, matched);
    for (size_t i = 0; i < request->pattern_count && status == EXIT_CLEAN; i++)
        if (!matched[i])
            status = refuse("--workload: `%s` is none that `mallet bench --list` shows",
                            request->patterns[i]);
    return status;
}

/* The recorded corpus, as built or as installed. */
static void find_traces(struct request *request)
{
    static const char *const places[] = {"../corpus/recorded", "../../corpus/recorded"};
    char own[PATH_MAX / 2], path[PATH_MAX], error[FILE_LIST_ERROR_MAX];
    if (request->traces.count > 0 || !proc_own_folder(own, sizeof own))
        return;
    for (size_t i = 0; i < sizeof places / sizeof places[0] && request->traces.count == 0; i++) {
        snprintf(path, sizeof path, "%s/%s", own, places[i]);
        (void)file_list_add(&request->traces, path, error);
    }
}

static int list_workloads(const struct bench *bench, bool as_json)
{
    json_t *list = json_array();
    for (size_t w = 0; w < bench->workload_count; w++) {
        const struct bench_workload *workload = &bench->workloads[w];
        if (as_json)
            json_array_append_new(list,
                                  json_pack("{s:s, s:s, s:s}", "workload", workload->name, "group",
                                            workload->group, "does", workload->does));
        else
            printf("%-9s %-16s %s\n", workload->group, workload->name, workload->does);
    }
    if (as_json)
        return cli_print_json(json_pack("{s:o}", "workloads", list));
    json_decref(list);
    return EXIT_CLEAN;
}

/* ---- subjects ---- */

static int add_subject(struct bench *bench, const char *typed)
{
    char error[SUBJECT_ERROR_MAX];
    return bench_add_subject(bench, typed, error) == 0 ? EXIT_CLEAN : refuse("%s", error);
}

/* Without a SUBJECT: anvil, and Debian's four as far as they are installed. */
static int add_default_subjects(struct bench *bench)
{
    static const char *const peers[] = {"jemalloc", "mimalloc", "tcmalloc", "tbbmalloc"};
    int status = add_subject(bench, "anvil");
    for (size_t i = 0; i < sizeof peers / sizeof peers[0] && status == EXIT_CLEAN; i++) {
        char path[PATH_MAX];
        if (catalog_locate(catalog_find(peers[i]), path) == 0)
            status = add_subject(bench, peers[i]);
        else
            fprintf(stderr, "mallet: %s is not installed\n", peers[i]);
    }
    return status;
}

static int add_subjects(struct bench *bench, const struct request *request)
{
    int status = add_subject(bench, "glibc"); /* the reference, and its control */
    if (status == EXIT_CLEAN)
        status = add_subject(bench, "glibc");
    for (unsigned i = 0; i < request->cli.subject_count && status == EXIT_CLEAN; i++)
        if (strcmp(request->cli.subjects[i], "glibc") != 0)
            status = add_subject(bench, request->cli.subjects[i]);
    return request->cli.subject_count == 0 && status == EXIT_CLEAN ? add_default_subjects(bench)
                                                                   : status;
}

/* ---- reports ---- */

static void report_progress(const struct bench *bench, const struct bench_workload *workload)
{
    cli_show_progress("%llu%% done; now: %s",
                      (unsigned long long)(100 * bench->done / bench->minimum), workload->name);
}

static int write_plot(const char *folder, const struct bench *bench, const struct results *results)
{
    char path[PATH_MAX], error[OUTPUT_ERROR_MAX];
    struct output output;
    snprintf(path, sizeof path, "%.3800s/bench.svg", folder);
    if (output_open(&output, path, error) != 0)
        return refuse("--output: %s", error);
    report_svg(output.file, bench, results);
    return output_close(&output, error) == 0 ? EXIT_CLEAN : refuse("--output: %s", error);
}

static int report(const struct request *request, const struct bench *bench)
{
    const struct cli_work work = {bench->done, bench->minimum};
    struct results results;
    int status = EXIT_CLEAN;
    if (results_compute(&results, bench) != 0)
        return report_internal_error("no memory for the results");
    if (request->cli.as_json) {
        json_t *document = report_json(bench, &results);
        cli_add_work(document, &work);
        status = cli_print_json(document);
    } else {
        report_text(stdout, bench, &results);
    }
    if (request->cli.output != NULL && status == EXIT_CLEAN)
        status = write_plot(request->cli.output, bench, &results);
    results_done(&results);
    return cli_worse_status(status, cli_conclude(0, &work));
}

/* ---- the command ---- */

static int run(struct request *request, struct bench *bench)
{
    char error[SUBJECT_ERROR_MAX];
    bench->repeats = request->repeats;
    bench->scale = request->scale;
    memcpy(bench->wants_count, request->wants_count, sizeof bench->wants_count);
    bench->is_cancelled = cli_is_interrupted;
    bench->report = report_progress;
    int status = add_workloads(bench, request);
    if (status == EXIT_CLEAN && request->cli.is_list)
        return list_workloads(bench, request->cli.as_json);
    if (status == EXIT_CLEAN && request->cli.output != NULL &&
        output_make_folder(request->cli.output, error) != 0)
        status = refuse("--output: %s", error);
    if (status == EXIT_CLEAN)
        status = add_subjects(bench, request);
    if (status != EXIT_CLEAN)
        return status;
    int result = bench_run(bench, error);
    cli_hide_progress();
    return result == 0 ? report(request, bench) : report_internal_error("%s", error);
}

int command_bench(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .takes = CLI_JSON | CLI_LIST | CLI_OUTPUT_FOLDER,
        .subjects_max = CLI_SUBJECTS_MAX,
        .output_text = "Write a plot to DIR/bench.svg",
        .list_text = "List the workloads and exit",
    };
    static const struct argp_option options[] = {
        {"workload", KEY_WORKLOAD, "NAME", 0,
         "Run only the workload NAME, or all that match, such as 'lifo-*'; may be repeated", 0},
        {"repeats", KEY_REPEATS, "N", 0, "Run each workload N times, 5 to 99 (default: 7)", 0},
        {"scale", KEY_SCALE, "PERCENT", 0,
         "Scale the number of operations, 1 to 1000 (default: 100)", 0},
        {"instructions", KEY_INSTRUCTIONS, NULL, 0,
         "Count the instructions of one operation, with valgrind", 0},
        {"os-calls", KEY_OS_CALLS, NULL, 0, "Count the OS calls for memory of one run, with strace",
         0},
        {"trace", KEY_TRACE, "FILE", 0,
         "Replay FILE, or each trace in a folder, in place of the recorded corpus; may be repeated",
         0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "[SUBJECT…]",
        .doc =
            "Compare the CPU time and the memory of allocators, glibc = 1. Each run is a process "
            "with the allocator preloaded. Without SUBJECT: anvil, and jemalloc, mimalloc, "
            "tcmalloc and tbbmalloc where they are installed. glibc always runs, twice: what the "
            "two differ by is noise."};
    struct request request = {.repeats = DEFAULT_REPEATS, .scale = 100};
    struct bench bench;
    char error[SUBJECT_ERROR_MAX];
    cli_parse(&spec, &argp, argc, argv, &request.cli, &request);
    cli_catch_interrupts();
    if (bench_init(&bench, error) != 0)
        return report_internal_error("%s", error);
    find_traces(&request);
    int status = run(&request, &bench);
    bench_done(&bench);
    file_list_done(&request.traces);
    return status;
}
