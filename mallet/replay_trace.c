/* SPDX-License-Identifier: MIT */
/* One trace, for `mallet replay`: runs it until it shows nothing new, repeats and prints each
 * finding. */
#include "mallet/replay.h"

#include "mallet/command.h"
#include "mallet/deal.h"
#include "mallet/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    ATTEMPTS = 3,     /* a finding is replayed so often in all */
    FUZZ_FILL = 4096, /* bytes that --fuzz-fill fills whole */
    /* calls that do not return and are left out of one trace; a hang takes its whole limit */
    CRASHES_LEFT_OUT = 8,
    HANGS_LEFT_OUT = 2
};

struct run_options replay_options(const struct replay *replay, const struct trace *trace)
{
    const struct replay_request *request = replay->request;
    struct run_options options = executor_thorough(replay->executor, trace->count);
    options.strict_alignment = request->is_strict;
    if (request->has_rounds)
        options.rounds = request->rounds;
    if (replay->pass == PASS_CHECK && !request->is_cost)
        options.rounds = 0;
    if (replay->pass == PASS_CYCLES && !request->is_failing_os)
        options.growth = GROWTH_LEFT;
    if (request->is_fuzz_fill)
        options.fill_max = FUZZ_FILL;
    return options;
}

/* ---- findings ---- */

struct replays {
    struct executor *executor;
    const struct run_options *options;
    const struct trace *trace;
    struct verdict class;
    char *error;
};

static int replay_again(void *context, bool *ret_shows)
{
    struct replays *replays = context;
    struct execution execution;
    int failure = executor_run(replays->executor, replays->trace, replays->options, true,
                               &execution, replays->error);
    if (failure == 0)
        *ret_shows = !execution.is_clean && verdict_is_same(&replays->class, &execution.verdict);
    return failure;
}

/* The run that found it counts as the first. */
static int count_reproduced(struct replay *replay, const struct run_options *options,
                            struct finding *finding, char error[SUBJECT_ERROR_MAX])
{
    struct replays replays = {replay->executor, options, &finding->trace, finding_verdict(finding),
                              error};
    unsigned shown = 0;
    int failure = finding_count(replay_again, &replays, ATTEMPTS - 1, &shown);
    finding->binding = executor_info(replay->executor)->subject.binding;
    finding->reproduced = 1 + shown;
    finding->attempts = ATTEMPTS;
    return failure;
}

static void print_failures(const struct os_call_counts *failures, const struct trace *trace)
{
    size_t counts[OS_CALL_COUNT];
    for (unsigned i = 0; i < OS_CALL_COUNT; i++)
        counts[i] = failures->failed_calls[i];
    printf("  failing   ");
    replay_print_calls(counts);
    putchar('\n');
    for (uint32_t i = 0; i < trace->count; i++)
        if (trace->ops[i].kind == OP_FAIL_OS)
            printf("  op %-6u fail-os %u\n", i, (unsigned)trace->ops[i].extra);
}

/* failures: of OS calls, on demand; NULL: none. */
static void print_finding(struct replay *replay, struct finding *finding,
                          const struct os_call_counts *failures)
{
    replay->failed++;
    replay->file->has_finding = true;
    bool counts = report_add_finding(&replay->findings, finding);
    replay->counting += counts;
    if (replay->list != NULL) {
        json_array_append_new(
            replay->list, json_pack("{s:o, s:s, s:o}", "file", cli_json_text(replay->file->path),
                                    "result", "finding", "finding", report_finding_json(finding)));
        return;
    }
    cli_hide_progress();
    printf("%-8s %s\n", counts ? "FINDING" : "note", replay->file->path);
    if (failures != NULL)
        print_failures(failures, &finding->trace);
    report_verdict(stdout, finding);
    printf("  repeated  %u of %u runs show it\n", finding->reproduced, finding->attempts);
}

/* What stands behind the failing op was not run, unless by an earlier cycle. */
static struct trace cut_behind(const struct trace *trace, const struct verdict *verdict)
{
    struct trace cut = *trace;
    if (verdict->cycle == 0 && verdict->op < cut.count)
        cut.count = verdict->op + (size_t)1;
    return cut;
}

/* Of the calls that the subject has; to be freed, NULL: no memory. */
static char *make_program(const struct replay *replay, const struct finding *finding)
{
    struct finding offered = *finding;
    struct trace *trace = &offered.trace;
    size_t size = trace->count * sizeof trace->ops[0];
    trace->ops = malloc(size > 0 ? size : 1);
    if (trace->ops == NULL)
        return NULL;
    memcpy(trace->ops, finding->trace.ops, size);
    shrink_drop_lacking(replay->executor, trace, &offered.op);
    char *program = report_finding_program(&offered);
    free(trace->ops);
    return program;
}

static int report_with_program(struct replay *replay, const struct run_options *options,
                               struct finding *finding, const struct os_call_counts *failures)
{
    char error[SUBJECT_ERROR_MAX];
    /* at once: repeating a hang takes long, and this process may be stopped meanwhile */
    (void)report_add_finding(&replay->findings, finding);
    int failure = count_reproduced(replay, options, finding, error);
    if (failure == ECANCELED)
        finding->attempts = finding->reproduced = 1;
    else if (failure != 0)
        return report_internal_error("%s: %s", replay->file->path, error);
    print_finding(replay, finding, failures);
    return EXIT_CLEAN;
}

static int report(struct replay *replay, const struct trace *trace,
                  const struct run_options *options, struct finding *finding,
                  const struct os_call_counts *failures)
{
    const struct verdict verdict = finding_verdict(finding);
    finding->trace = cut_behind(trace, &verdict);
    char *program = make_program(replay, finding);
    finding->program = program;
    int status = report_with_program(replay, options, finding, failures);
    finding->program = NULL;
    free(program);
    return status;
}

/* ---- classes ---- */

/* NULL: no room for more. */
static struct replay_class *find_class(struct replay *replay, const struct verdict *verdict)
{
    for (size_t i = 0; i < replay->class_count; i++)
        if (verdict_is_same(&replay->classes[i].verdict, verdict))
            return &replay->classes[i];
    if (replay->class_count == CLASSES_MAX)
        return NULL;
    replay->classes[replay->class_count] = (struct replay_class){.verdict = *verdict};
    return &replay->classes[replay->class_count++];
}

/* In the cycles a trace shows once more all that it showed before. */
static bool is_frequent(const struct replay *replay, const struct replay_class *class)
{
    bool is_before = replay->pass != PASS_CHECK && !verdict_is_growth(&class->verdict);
    return class->found >= (is_before ? 1 : CLASS_FINDINGS);
}

static bool mute(struct run_options *options, const struct verdict *verdict)
{
    if (verdict->check == CHECK_CRASH || verdict->check == CHECK_PROGRESS ||
        options->muted_class_count == RUN_MUTED_MAX)
        return false;
    struct verdict_class *class = &options->muted_classes[options->muted_class_count++];
    class->check = verdict->check;
    memcpy(class->site, verdict->site, sizeof class->site);
    return true;
}

static void mute_frequent(const struct replay *replay, struct run_options *options)
{
    for (size_t i = 0; i < replay->class_count; i++)
        if (is_frequent(replay, &replay->classes[i]))
            (void)mute(options, &replay->classes[i].verdict);
}

/* Prints it unless it is expected, or its class was printed often enough. */
static int take_verdict(struct replay *replay, const struct trace *trace,
                        const struct run_options *options, const struct execution *execution,
                        bool is_fault)
{
    struct finding finding;
    struct os_call_counts failures = execution->os_calls;
    struct replay_class *class = find_class(replay, &execution->verdict);
    finding_make(&finding, executor_info(replay->executor)->subject.name, &execution->verdict,
                 execution->output);
    if (cli_findings_expect(&replay->findings, &finding) != NULL) {
        finding.reproduced = finding.attempts = 1;
        (void)cli_findings_add(&replay->findings, &finding);
        replay->expected += replay->pass == PASS_CHECK || verdict_is_growth(&execution->verdict);
        return EXIT_CLEAN;
    }
    if (class == NULL || is_frequent(replay, class)) {
        replay->file->shows_again = true;
        return EXIT_CLEAN;
    }
    class->found++;
    return report(replay, trace, options, &finding, is_fault ? &failures : NULL);
}

int replay_for_classes(struct replay *replay, const struct trace *trace, bool is_watched,
                       bool is_fault, struct execution *ret_execution)
{
    char error[SUBJECT_ERROR_MAX];
    struct run_options options = replay_options(replay, trace);
    options.watch_os = is_watched;
    mute_frequent(replay, &options);
    for (;;) {
        replay_show_progress(replay);
        int failure = executor_run(replay->executor, trace, &options, true, ret_execution, error);
        if (failure == ECANCELED)
            return EXIT_INTERRUPTED;
        if (failure != 0)
            return report_internal_error("%s: %s", replay->file->path, error);
        struct verdict verdict = ret_execution->verdict; /* the next run overwrites it */
        struct execution shown = *ret_execution;
        if (ret_execution->is_clean) {
            replay->file->shows_again |= ret_execution->muted_failures > 0;
            replay->file->has_open_growth |= ret_execution->has_open_growth;
            return EXIT_CLEAN;
        }
        int status = take_verdict(replay, trace, &options, &shown, is_fault);
        if (status != EXIT_CLEAN || !mute(&options, &verdict))
            return status;
    }
}

/* ---- traces ---- */

/* Leaves out the op that did not return; false if there is none, or if enough were left out. */
static bool leave_out(struct trace *trace, const struct verdict *verdict, unsigned *left_out)
{
    bool is_hang = verdict->check == CHECK_PROGRESS;
    *left_out += is_hang ? CRASHES_LEFT_OUT / HANGS_LEFT_OUT : 1;
    if ((verdict->check != CHECK_CRASH && !is_hang) || verdict->op >= trace->count ||
        *left_out > CRASHES_LEFT_OUT)
        return false;
    memmove(&trace->ops[verdict->op], &trace->ops[verdict->op + 1],
            (trace->count - verdict->op - 1) * sizeof trace->ops[0]);
    trace->count--;
    trace_normalize(trace, NORMALIZE_DROP);
    return trace->count > 0;
}

int replay_trace(struct replay *replay, const struct trace *trace)
{
    struct execution execution = {.is_clean = true};
    struct trace rest = {.ops = calloc(trace->count + 1, sizeof *trace->ops),
                         .count = trace->count,
                         .capacity = trace->count};
    unsigned left_out = 0;
    if (rest.ops == NULL)
        return report_internal_error("%s: no memory", replay->file->path);
    memcpy(rest.ops, trace->ops, trace->count * sizeof *trace->ops);
    int status;
    do
        status = replay_for_classes(replay, &rest, false, false, &execution);
    while (status == EXIT_CLEAN && !execution.is_clean &&
           leave_out(&rest, &execution.verdict, &left_out));
    free(rest.ops);
    return status;
}

int replay_dealt(struct replay *replay, const struct trace *trace)
{
    struct trace dealt = {.capacity = deal_capacity(trace->count)};
    int status = EXIT_CLEAN;
    dealt.ops = calloc(dealt.capacity + 1, sizeof *dealt.ops);
    if (dealt.ops == NULL)
        return report_internal_error("%s: no memory", replay->file->path);
    for (unsigned seed = 1; seed <= replay->request->deals && status == EXIT_CLEAN; seed++) {
        deal_trace(trace, seed, &dealt);
        status = replay_trace(replay, &dealt);
    }
    free(dealt.ops);
    return status;
}
