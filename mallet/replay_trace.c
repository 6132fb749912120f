/* SPDX-License-Identifier: MIT */
/* One trace of `mallet replay`: run past what is known, in a fresh process, and what to print of
 * it. */
#include "mallet/replay.h"

#include "mallet/command.h"
#include "mallet/deal.h"
#include "mallet/report.h"

#include <stdlib.h>
#include <string.h>

enum {
    ATTEMPTS = 3,    /* a finding is replayed so often in all */
    FUZZ_FILL = 4096 /* bytes that --fuzz-fill fills whole */
};

struct run_options replay_options(const struct replay *replay, const struct trace *trace)
{
    const struct replay_request *request = replay->request;
    struct run_options options = executor_thorough(replay->executor, trace->count);
    options.strict_alignment = request->is_strict;
    if (request->has_rounds)
        options.rounds = request->rounds;
    if (request->cli.has_capacity)
        options.capacity = request->cli.capacity;
    if (request->is_fuzz_fill)
        options.fill_max = FUZZ_FILL;
    return options;
}

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
int replay_count_reproduced(struct replay *replay, const struct run_options *options,
                            struct finding *finding, char error[SUBJECT_ERROR_MAX])
{
    struct replays replays = {replay->executor, options, &finding->trace, finding_verdict(finding),
                              error};
    unsigned shown = 0;
    int failure = finding_count(replay_again, &replays, ATTEMPTS - 1, &shown);
    finding->reproduced = 1 + shown;
    finding->attempts = ATTEMPTS;
    return failure;
}

static void print_clean(struct replay *replay, const char *path)
{
    replay->passed++;
    if (replay->list != NULL)
        json_array_append_new(replay->list, json_pack("{s:s, s:s}", "file", path, "result", "ok"));
    else
        printf("ok       %s\n", path);
}

void replay_print_finding(struct replay *replay, const char *path, struct finding *finding,
                          const struct os_call_counts *failures)
{
    replay->failed++;
    report_add_finding(&replay->findings, finding);
    if (replay->list != NULL) {
        json_array_append_new(replay->list,
                              json_pack("{s:s, s:s, s:o}", "file", path, "result", "finding",
                                        "finding", report_finding_json(finding)));
        return;
    }
    printf("FINDING  %s\n", path);
    if (failures != NULL) {
        size_t counts[OS_CALL_COUNT];
        for (unsigned i = 0; i < OS_CALL_COUNT; i++)
            counts[i] = failures->failed_calls[i];
        printf("  failing   ");
        replay_print_calls(counts);
        putchar('\n');
        for (uint32_t i = 0; i < finding->trace.count; i++)
            if (finding->trace.ops[i].kind == OP_FAIL_OS)
                printf("  op %-6u fail-os %u\n", i, (unsigned)finding->trace.ops[i].extra);
    }
    report_verdict(stdout, finding);
    printf("  replayed  %u times, the same finding %u times\n", finding->attempts,
           finding->reproduced);
}

int replay_past_known(struct replay *replay, const struct trace *trace, struct run_options *options,
                      struct execution *ret_execution, char error[SUBJECT_ERROR_MAX])
{
    const char *subject = executor_info(replay->executor)->subject.name;
    for (;;) {
        int result = executor_run(replay->executor, trace, options, true, ret_execution, error);
        if (result != 0 || ret_execution->is_clean)
            return result;
        struct finding finding;
        finding_make(&finding, subject, &ret_execution->verdict, ret_execution->output);
        if (cli_findings_expect(&replay->findings, &finding) == NULL)
            return 0;
        finding.reproduced = finding.attempts = 1;
        (void)cli_findings_add(&replay->findings, &finding);
        replay->passed_over++;
        if (ret_execution->verdict.check == CHECK_CRASH ||
            ret_execution->verdict.check == CHECK_PROGRESS) {
            ret_execution->is_clean = true; /* nothing can be seen behind these */
            return 0;
        }
        options->muted |= 1u << ret_execution->verdict.check;
    }
}

int replay_trace(struct replay *replay, const char *path, const struct trace *trace)
{
    struct execution execution;
    char error[SUBJECT_ERROR_MAX];
    struct run_options options = replay_options(replay, trace);
    if (replay_past_known(replay, trace, &options, &execution, error) != 0)
        return report_internal_error("%s: %s", path, error);
    if (execution.is_clean) {
        print_clean(replay, path);
        return EXIT_CLEAN;
    }
    struct finding finding;
    finding_make(&finding, executor_info(replay->executor)->subject.name, &execution.verdict,
                 execution.output);
    finding.trace = *trace;
    if (replay_count_reproduced(replay, &options, &finding, error) != 0)
        return report_internal_error("%s: %s", path, error);
    replay_print_finding(replay, path, &finding, NULL);
    return EXIT_FINDINGS;
}

int replay_dealt(struct replay *replay, const char *path, const struct trace *trace)
{
    struct trace dealt = {.capacity = deal_capacity(trace->count)};
    size_t passed = replay->passed;
    int status = EXIT_CLEAN;
    dealt.ops = calloc(dealt.capacity + 1, sizeof *dealt.ops);
    if (dealt.ops == NULL)
        return report_internal_error("%s: no memory", path);
    for (unsigned seed = 1; seed <= replay->request->deals && status == EXIT_CLEAN; seed++) {
        deal_trace(trace, seed, &dealt);
        status = replay_trace(replay, path, &dealt);
    }
    replay->passed = passed + (status == EXIT_CLEAN);
    free(dealt.ops);
    return status;
}
