/* SPDX-License-Identifier: MIT */
/* replay: traces on one subject, each in a fresh process, every call checked. */
#include "harness/finding.h"
#include "mallet/command.h"
#include "mallet/cost.h"
#include "mallet/fault_sweep.h"
#include "mallet/file_list.h"
#include "mallet/known.h"
#include "mallet/report.h"
#include "mallet/subject_start.h"
#include "mallet/trace_file.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

enum {
    ATTEMPTS = 3,     /* a finding is replayed so often in all */
    FUZZ_FILL = 4096, /* bytes that --fuzz-fill fills whole */
    KEY_ROUNDS = 'r',
    KEY_STRICT = 's',
    KEY_BINDING = 'b',
    KEY_CAPACITY = 'c',
    KEY_JSON = 'j',
    KEY_FUZZ_FILL = 1000, /* long options only */
    KEY_COST,
    KEY_KNOWN,
    KEY_FAIL_OS,
    KEY_FAIL_PAIRS,
    CLASSES_MAX = 64 /* findings that one trace may print under OS failures */
};

struct request {
    const char *subject;
    char **paths; /* files and folders */
    size_t path_count;
    enum subject_binding binding;
    bool has_rounds, has_capacity, is_strict, is_fuzz_fill, is_cost, as_json;
    uint32_t rounds;
    uint64_t capacity;
    const char *known_path; /* NULL: none */
    bool is_failing_os, has_fail_pairs;
    uint32_t fail_os; /* 0: all */
};

struct replay {
    const struct request *request;
    struct executor *executor;
    struct known known;
    size_t passed, failed, passed_over;
    size_t faults, failed_calls[OS_CALL_COUNT]; /* --fail-os */
    json_t *list;                               /* NULL unless --json */
};

static void parse_argument(struct request *request, char *value)
{
    if (request->subject == NULL)
        request->subject = value;
    else
        request->paths[request->path_count++] = value;
}

static uint32_t parse_fail_os(const char *value)
{
    return strcmp(value, "all") == 0 ? 0 : (uint32_t)parse_number("--fail-os", value, 1000000);
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case KEY_JSON:
        request->as_json = true;
        return 0;
    case KEY_STRICT:
        request->is_strict = true;
        return 0;
    case KEY_FUZZ_FILL:
        request->is_fuzz_fill = true;
        return 0;
    case KEY_COST:
        request->is_cost = true;
        return 0;
    case KEY_FAIL_OS:
        request->is_failing_os = true;
        request->fail_os = parse_fail_os(value);
        return 0;
    case KEY_FAIL_PAIRS:
        request->is_failing_os = request->has_fail_pairs = true;
        return 0;
    case KEY_BINDING:
        request->binding = parse_binding(value);
        return 0;
    case KEY_KNOWN:
        request->known_path = value;
        return 0;
    case KEY_ROUNDS:
        request->has_rounds = true;
        request->rounds = (uint32_t)parse_number("--rounds", value, 1000000);
        return 0;
    case KEY_CAPACITY:
        request->has_capacity = true;
        request->capacity = parse_number("--capacity", value, INT64_MAX);
        return 0;
    case ARGP_KEY_ARG:
        parse_argument(request, value);
        return 0;
    case ARGP_KEY_END:
        if (request->path_count == 0)
            argp_error(state, "%s is missing", request->subject == NULL ? "SUBJECT" : "FILE or DIR");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static struct run_options make_options(const struct replay *replay, const struct trace *trace)
{
    const struct request *request = replay->request;
    struct run_options options = executor_thorough(replay->executor, trace->count);
    options.strict_alignment = request->is_strict;
    if (request->has_rounds)
        options.rounds = request->rounds;
    if (request->has_capacity)
        options.capacity = request->capacity;
    if (request->is_fuzz_fill)
        options.fill_max = FUZZ_FILL;
    return options;
}

/* Replays until ATTEMPTS runs are made; counts the verdicts of the same class. */
static int count_reproduced(struct replay *replay, const struct run_options *options, struct finding *finding,
                            char error[SUBJECT_ERROR_MAX])
{
    finding->reproduced = finding->attempts = 1;
    while (finding->attempts < ATTEMPTS) {
        struct execution execution;
        int result = executor_run(replay->executor, &finding->trace, options, true, &execution, error);
        if (result != 0)
            return result;
        finding->attempts++;
        finding->reproduced += !execution.is_clean && verdict_is_same(&finding->verdict, &execution.verdict);
    }
    return 0;
}

static void print_clean(struct replay *replay, const char *path)
{
    replay->passed++;
    if (replay->list != NULL)
        json_array_append_new(replay->list, json_pack("{s:s, s:s}", "file", path, "result", "ok"));
    else
        printf("ok       %s\n", path);
}

/* The kinds and numbers of OS calls: "2 mmap, 1 munmap". */
static void print_calls(const size_t counts[OS_CALL_COUNT])
{
    const char *comma = "";
    for (unsigned i = 0; i < OS_CALL_COUNT; i++) {
        if (counts[i] > 0) {
            printf("%s%zu %s", comma, counts[i], os_call_name((enum os_call)i));
            comma = ", ";
        }
    }
}

/* failures: of OS calls, on demand; NULL: none. */
static void print_finding(struct replay *replay, const char *path, const struct finding *finding, const struct os_call_counts *failures)
{
    const char *subject = executor_info(replay->executor)->name;
    replay->failed++;
    if (replay->list != NULL) {
        json_array_append_new(replay->list, json_pack("{s:s, s:s, s:o}", "file", path, "result", "finding", "finding",
                                                      report_finding_json(subject, finding)));
        return;
    }
    printf("FINDING  %s\n", path);
    if (failures != NULL) {
        size_t counts[OS_CALL_COUNT];
        for (unsigned i = 0; i < OS_CALL_COUNT; i++)
            counts[i] = failures->failed_calls[i];
        printf("  failing   ");
        print_calls(counts);
        putchar('\n');
        for (uint32_t i = 0; i < finding->trace.count; i++)
            if (finding->trace.ops[i].kind == OP_FAIL_OS)
                printf("  op %-6u fail-os %u\n", i, (unsigned)finding->trace.ops[i].extra);
    }
    report_verdict(stdout, &finding->trace, &finding->verdict, finding->output);
    printf("  replayed  %u times, the same finding %u times\n", finding->attempts, finding->reproduced);
}

/* A known finding is muted, and the trace run again for what else it may show. */
static int run_past_known(struct replay *replay, const struct trace *trace, struct run_options *options, struct execution *ret_execution,
                          char error[SUBJECT_ERROR_MAX])
{
    const char *subject = executor_info(replay->executor)->name;
    for (;;) {
        int result = executor_run(replay->executor, trace, options, true, ret_execution, error);
        if (result != 0 || ret_execution->is_clean || !known_has(&replay->known, subject, &ret_execution->verdict))
            return result;
        replay->passed_over++;
        if (ret_execution->verdict.check == CHECK_CRASH || ret_execution->verdict.check == CHECK_PROGRESS) {
            ret_execution->is_clean = true; /* nothing can be seen behind these */
            return 0;
        }
        options->muted |= 1u << ret_execution->verdict.check;
    }
}

/* ---- with OS calls that fail ---- */

struct faulty_replay {
    struct replay *replay;
    const char *path;
    struct verdict seen[CLASSES_MAX]; /* classes printed */
    size_t classes, same;
};

static bool is_seen(struct faulty_replay *faulty, const struct verdict *verdict)
{
    for (size_t i = 0; i < faulty->classes; i++)
        if (verdict_is_same(&faulty->seen[i], verdict))
            return true;
    if (faulty->classes < CLASSES_MAX)
        faulty->seen[faulty->classes++] = *verdict;
    return false;
}

/* The first fault that shows a class prints it. */
static int replay_fault(void *context, const struct trace *trace, bool is_base, struct execution *ret_execution)
{
    struct faulty_replay *faulty = context;
    struct replay *replay = faulty->replay;
    char error[SUBJECT_ERROR_MAX];
    struct run_options options = make_options(replay, trace);
    options.watch_os = 1;
    if (run_past_known(replay, trace, &options, ret_execution, error) != 0)
        return report_internal_error("%s: %s", faulty->path, error);
    if (ret_execution->is_clean)
        return 0;
    bool is_again = is_seen(faulty, &ret_execution->verdict);
    faulty->same += is_again;
    if (is_again)
        return 0;
    struct finding finding = {.verdict = ret_execution->verdict, .trace = *trace};
    struct os_call_counts os_calls = ret_execution->os_calls;
    memcpy(finding.output, ret_execution->output, sizeof finding.output);
    if (count_reproduced(replay, &options, &finding, error) != 0)
        return report_internal_error("%s: %s", faulty->path, error);
    print_finding(replay, faulty->path, &finding, is_base ? NULL : &os_calls);
    return 0;
}

static void print_faults(const struct faulty_replay *faulty, const struct fault_sweep *sweep)
{
    struct replay *replay = faulty->replay;
    replay->passed += faulty->classes == 0;
    replay->faults += sweep->faults;
    for (unsigned i = 0; i < OS_CALL_COUNT; i++)
        replay->failed_calls[i] += sweep->failed[i];
    if (replay->list != NULL) {
        json_array_append_new(replay->list, json_pack("{s:s, s:s, s:I, s:I, s:I}", "file", faulty->path, "result",
                                                      faulty->classes == 0 ? "ok" : "faults", "os_calls", (json_int_t)sweep->os_calls,
                                                      "faults", (json_int_t)sweep->faults, "left_out", (json_int_t)sweep->left_out));
        return;
    }
    printf("%-8s %s: %zu OS calls, %zu faults", faulty->classes == 0 ? "ok" : "faults", faulty->path, sweep->os_calls, sweep->faults);
    if (sweep->left_out > 0)
        printf(", and more left out");
    if (faulty->same > 0)
        printf(", %zu of them with a finding printed already", faulty->same);
    putchar('\n');
}

static int replay_faults(struct replay *replay, const char *path, const struct trace *trace)
{
    struct faulty_replay faulty = {.replay = replay, .path = path};
    struct fault_sweep sweep = {.only = replay->request->fail_os, .has_pairs = replay->request->has_fail_pairs};
    int status = fault_sweep_run(&sweep, trace, replay_fault, &faulty);
    switch (status) {
    case SWEEP_NO_MEMORY:
        return report_internal_error("%s: no memory", path);
    case SWEEP_NOT_WATCHED:
        return refuse("--fail-os: OS calls cannot be watched here: that takes Linux on x86-64, seccomp, and a build without sanitizer");
    case SWEEP_DONE:
    case SWEEP_BASE_FAILED:
        print_faults(&faulty, &sweep);
        return faulty.classes == 0 ? EXIT_CLEAN : EXIT_FINDINGS;
    default:
        return status;
    }
}

static int replay_trace(struct replay *replay, const char *path, struct trace *trace)
{
    struct execution execution;
    char error[SUBJECT_ERROR_MAX];
    struct run_options options = make_options(replay, trace);
    if (run_past_known(replay, trace, &options, &execution, error) != 0)
        return report_internal_error("%s: %s", path, error);
    if (execution.is_clean) {
        print_clean(replay, path);
        return EXIT_CLEAN;
    }
    struct finding finding = {.verdict = execution.verdict, .trace = *trace};
    memcpy(finding.output, execution.output, sizeof finding.output);
    if (count_reproduced(replay, &options, &finding, error) != 0)
        return report_internal_error("%s: %s", path, error);
    print_finding(replay, path, &finding, NULL);
    return EXIT_FINDINGS;
}

/* The subject is static anvil, in this process: only there is nothing but the checks between the two times. */
static int measure_cost(struct replay *replay, const char *path, const struct trace *trace)
{
    struct cost cost;
    char error[SUBJECT_ERROR_MAX];
    struct run_options options = make_options(replay, trace);
    options.rounds = options.sweep_every = options.heap_check_every = 0; /* what every op pays; the rest is a matter of cadence */
    if (cost_measure(replay->request->subject, trace, &options, &cost, error) != 0)
        return report_internal_error("%s: %s", path, error);
    if (replay->list != NULL)
        json_array_append_new(replay->list, json_pack("{s:s, s:f, s:f, s:f}", "file", path, "checked_us", cost.checked_us, "unchecked_us",
                                                      cost.unchecked_us, "ratio", cost.checked_us / cost.unchecked_us));
    else
        printf("cost     %s: checked %.1f us, unchecked %.1f us, ratio %.2f (medians of %d)\n", path, cost.checked_us, cost.unchecked_us,
               cost.checked_us / cost.unchecked_us, COST_SAMPLES);
    return EXIT_CLEAN;
}

static int replay_file(struct replay *replay, const char *path)
{
    struct trace trace;
    char error[TRACE_FILE_ERROR_MAX];
    if (trace_file_read(path, &trace, error) != 0)
        return refuse("%s", error);
    int status = replay->request->is_cost         ? measure_cost(replay, path, &trace)
                 : replay->request->is_failing_os ? replay_faults(replay, path, &trace)
                                                  : replay_trace(replay, path, &trace);
    trace_file_done(&trace);
    return status;
}

static json_t *make_fault_json(const struct replay *replay)
{
    json_t *calls = json_object();
    for (unsigned i = 0; i < OS_CALL_COUNT; i++)
        json_object_set_new(calls, os_call_name((enum os_call)i), json_integer((json_int_t)replay->failed_calls[i]));
    return json_pack("{s:I, s:o}", "faults", (json_int_t)replay->faults, "failed_calls", calls);
}

static int print_summary(struct replay *replay)
{
    const char *subject = executor_info(replay->executor)->name;
    if (replay->list != NULL) {
        json_t *document =
            json_pack("{s:s, s:O, s:I, s:I, s:I}", "subject", subject, "traces", replay->list, "passed", (json_int_t)replay->passed,
                      "failed", (json_int_t)replay->failed, "known", (json_int_t)replay->passed_over);
        if (replay->request->is_failing_os)
            json_object_update_new(document, make_fault_json(replay));
        if (report_print_json(document) != 0)
            return report_internal_error("no memory for the report");
    } else if (!replay->request->is_cost) {
        printf("%zu passed, %zu failed\n", replay->passed, replay->failed);
        if (replay->request->is_failing_os) {
            printf("%zu faults; OS calls that failed: ", replay->faults);
            print_calls(replay->failed_calls);
            putchar('\n');
        }
        if (replay->passed_over > 0)
            printf("%zu findings are known and were passed over\n", replay->passed_over);
    }
    return replay->failed > 0 ? EXIT_FINDINGS : EXIT_CLEAN;
}

/* Stops at the first file that cannot be read or run, not at findings. */
static int replay_all(struct replay *replay, const struct file_list *files)
{
    for (size_t i = 0; i < files->count; i++) {
        int status = replay_file(replay, files->paths[i]);
        if (status != EXIT_CLEAN && status != EXIT_FINDINGS)
            return status;
        fflush(stdout);
    }
    return print_summary(replay);
}

static int replay_files(const struct request *request, const struct file_list *files)
{
    struct replay replay = {.request = request};
    char error[SUBJECT_ERROR_MAX];
    if (request->known_path != NULL && known_read(&replay.known, request->known_path, error) != 0) {
        known_done(&replay.known);
        return refuse("%s", error);
    }
    if (subject_start(&replay.executor, request->subject, request->binding, error) != 0) {
        known_done(&replay.known);
        return refuse("%s", error);
    }
    replay.list = request->as_json ? json_array() : NULL;
    int status = replay_all(&replay, files);
    json_decref(replay.list);
    executor_stop(replay.executor);
    known_done(&replay.known);
    return status;
}

static int replay_request(const struct request *request)
{
    struct file_list files = {0};
    char error[FILE_LIST_ERROR_MAX];
    int status = EXIT_CLEAN;
    if (request->is_cost && strncmp(request->subject, "anvil", 5) != 0)
        return refuse("--cost: only anvil can be measured, not `%s`", request->subject);
    for (size_t i = 0; i < request->path_count && status == EXIT_CLEAN; i++)
        if (file_list_add(&files, request->paths[i], error) != 0)
            status = refuse("%s", error);
    if (status == EXIT_CLEAN)
        status = replay_files(request, &files);
    file_list_done(&files);
    return status;
}

int command_replay(int argc, char **argv)
{
    static const struct argp_option options[] = {
        {"json", KEY_JSON, NULL, 0, "Print JSON", 0},
        {"rounds", KEY_ROUNDS, "N", 0, "Repeat each trace in up to N identical cycles to see whether memory grows; 0: not at all", 0},
        {"strict-align", KEY_STRICT, NULL, 0, "Want 16-byte alignment for blocks under 16 bytes too (C17)", 0},
        {"binding", KEY_BINDING, "HOW", 0, "auto, dlopen, dlmopen or preload", 0},
        {"capacity", KEY_CAPACITY, "BYTES", 0, "What the allocator can hold at all; 0: no limit (default: probed)", 0},
        {"fuzz-fill", KEY_FUZZ_FILL, NULL, 0, "Fill blocks above 4096 bytes in samples only, as fuzzing does", 0},
        {"known", KEY_KNOWN, "FILE", 0, "Pass over the findings in FILE, one `SUBJECT CHECK SITE` a line", 0},
        {"fail-os", KEY_FAIL_OS, "K", 0,
         "Let the system refuse the Kth of its calls for memory; all: run each trace once for every such call", 0},
        {"fail-pairs", KEY_FAIL_PAIRS, NULL, 0, "As --fail-os all, and a second call fails after the first: run once for every pair", 0},
        {"cost", KEY_COST, NULL, 0, "Instead, measure what the checks of each op cost: time with and without (anvil only)", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "SUBJECT FILE|DIR…",
        .doc = "Run traces on an allocator, each in a fresh process, and check every call. Of a folder, every *.trace and *.bin file below "
               "it is run."};
    struct request request = {.paths = calloc((size_t)argc, sizeof *request.paths)};
    if (request.paths == NULL)
        return report_internal_error("no memory");
    argp_parse(&argp, argc, argv, 0, NULL, &request);
    int status = replay_request(&request);
    free(request.paths);
    return status;
}
