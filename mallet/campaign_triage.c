/* SPDX-License-Identifier: MIT */
/*
 * What the engine left behind becomes findings, one for each class: shrunk, reproduced k of n in
 * fresh processes, saved, and confirmed by the exported program.
 *
 *   raw/<class>.trace                  a class that a target saw and named
 *   artifacts/, afl/<job>/crashes/     inputs on which the target itself died: mostly a class that
 *   stands in raw/ already; else one that shows
 *                                      in a worker, or only under a sanitizer
 *
 * A class already in the summary of an earlier campaign is left as it is. A class that no fresh
 * process shows is listed all the same, as reproduced 0 of n: randomised and threaded subjects have
 * such, and the reader must know.
 */
#include "mallet/campaign_internal.h"

#include "harness/finding/finding.h"
#include "harness/program/confirm.h"
#include "mallet/report.h"
#include "mallet/trace_file.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    ATTEMPTS = 5,
    TARGET_ATTEMPTS = 3,
    CPU_LIMIT_MS = 500,
    SHRINK_BUDGET = 1000, /* runs for one finding; a slow one counts as several */
    INPUT_OPS_MAX = 4096,
    INPUTS_MAX = 200
};

struct triage {
    struct executor *executor;
    unsigned inputs; /* looked at so far */
    int result;
    char *error;
};

/* ---- classes ---- */

struct campaign_finding *campaign_find_finding(struct campaign *campaign, const char *name)
{
    for (size_t i = 0; i < campaign->count; i++)
        if (strcmp(campaign->findings[i].name, name) == 0)
            return &campaign->findings[i];
    return NULL;
}

static bool is_known(struct campaign *campaign, const struct verdict *verdict)
{
    char name[VERDICT_CLASS_MAX];
    verdict_class_name(verdict, name);
    return campaign_find_finding(campaign, name) != NULL;
}

/* ---- saving ---- */

/* Files first: the program among them is what confirms. */
static void save(struct campaign *campaign, struct triage *triage, struct finding *finding)
{
    char folder[CAMPAIGN_PATH_MAX], path[CAMPAIGN_PATH_MAX];
    if (campaign->count == CAMPAIGN_FINDINGS_MAX)
        return;
    struct campaign_finding *entry = &campaign->findings[campaign->count];
    struct verdict verdict = finding_verdict(finding);
    *entry = (struct campaign_finding){.ops = finding->trace.count};
    verdict_class_name(&verdict, entry->name);
    campaign_path(folder, "%s/findings", campaign->output);
    triage->result = report_save(folder, finding, triage->error);
    if (triage->result != 0)
        return;
    campaign_path(path, "%s/%s/program.c", folder, entry->name);
    const struct confirm_request request = {.subject = campaign->subject_path,
                                            .source = path,
                                            .is_hang = verdict.check == CHECK_PROGRESS,
                                            .is_cancelled = campaign_is_stopped};
    finding->confirmed = confirm_by_program(&request);
    (void)report_add_finding(campaign->options->findings, finding);
    triage->result = report_save_json(folder, finding, triage->error);
    entry->finding = *finding;
    entry->finding.trace = (struct trace){0};
    campaign->count++;
    fprintf(stderr, "triage: %s: %zu op%s, reproduced %u of %u\n", entry->name, entry->ops,
            entry->ops == 1 ? "" : "s", finding->reproduced, finding->attempts);
}

/* A target's limits are short. What returns within ours was slow, no hang; what stops growing
 * within our rounds was a cache, no leak. */
static bool was_premature(const struct finding *finding)
{
    bool was_slow = strcmp(finding->check, check_name(CHECK_PROGRESS)) == 0 &&
                    strstr(finding->sentence, "of CPU") != NULL;
    bool was_growth = strcmp(finding->site, "cycle") == 0;
    return finding->reproduced == 0 && (was_slow || was_growth);
}

/* Shrinks, reproduces, saves. The trace is the caller's, changed in place. */
static void make_finding(struct campaign *campaign, struct triage *triage, struct trace *trace,
                         const struct verdict *verdict)
{
    struct finding finding;
    struct execution execution;
    triage->result =
        shrink_trace(triage->executor, trace, verdict, SHRINK_BUDGET, &execution, triage->error);
    if (triage->result != 0)
        return;
    bool is_shown = !execution.is_clean && verdict_is_same(&execution.verdict, verdict);
    finding_make(&finding, campaign->subject_name, is_shown ? &execution.verdict : verdict,
                 is_shown ? execution.output : "");
    finding.trace = *trace;
    triage->result = finding_reproduce(triage->executor, &finding, ATTEMPTS, triage->error);
    if (triage->result == 0 && !was_premature(&finding))
        save(campaign, triage, &finding);
}

/* ---- raw traces ---- */

static void read_comment(const char *text, const char *key, char *ret_value, size_t capacity)
{
    const char *found = strstr(text, key);
    size_t length = found != NULL ? strcspn(found + strlen(key), "\n") : 0;
    snprintf(ret_value, capacity, "%.*s", (int)length, found != NULL ? found + strlen(key) : "");
}

/* The verdict that findings.c of the targets wrote above the trace. */
static bool read_verdict(const char *path, struct verdict *ret_verdict)
{
    char check[32];
    size_t length;
    char *text = campaign_read_file(path, &length);
    if (text == NULL)
        return false;
    *ret_verdict = (struct verdict){.op = VERDICT_NO_OP};
    read_comment(text, "# check: ", check, sizeof(check));
    read_comment(text, "# site: ", ret_verdict->site, sizeof(ret_verdict->site));
    read_comment(text, "# sentence: ", ret_verdict->sentence, sizeof(ret_verdict->sentence));
    ret_verdict->check = check_find(check);
    free(text);
    return ret_verdict->check < CHECK_COUNT;
}

static bool has_suffix(const char *name)
{
    const char *end = strstr(name, ".trace");
    return end != NULL && end[strlen(".trace")] == '\0';
}

/* Those that are not known yet: the shortest shrinks fastest, and is most telling. */
struct raw_trace {
    char path[CAMPAIGN_PATH_MAX];
    struct verdict verdict;
    off_t size;
};
struct raw_list {
    struct raw_trace traces[CAMPAIGN_FINDINGS_MAX];
    size_t count;
};

static bool list_raw(struct campaign *campaign, const char *path, const char *name, void *context)
{
    struct raw_list *list = context;
    struct verdict verdict;
    struct stat status;
    if (list->count == CAMPAIGN_FINDINGS_MAX || !has_suffix(name) ||
        !read_verdict(path, &verdict) || is_known(campaign, &verdict) || stat(path, &status) != 0)
        return true;
    struct raw_trace *trace = &list->traces[list->count++];
    campaign_path(trace->path, "%s", path);
    trace->verdict = verdict;
    trace->size = status.st_size;
    return true;
}

static int compare_sizes(const void *left, const void *right)
{
    off_t one = ((const struct raw_trace *)left)->size,
          other = ((const struct raw_trace *)right)->size;
    return (one > other) - (one < other);
}

/* Another one may have turned out to be of the same class. */
static void triage_raw(struct campaign *campaign, const struct raw_trace *raw,
                       struct triage *triage)
{
    struct trace trace;
    char error[TRACE_FILE_ERROR_MAX];
    if (is_known(campaign, &raw->verdict) || trace_file_read(raw->path, &trace, error) != 0)
        return;
    make_finding(campaign, triage, &trace, &raw->verdict);
    trace_file_done(&trace);
}

static void triage_all_raw(struct campaign *campaign, struct triage *triage)
{
    struct raw_list *list = calloc(1, sizeof *list);
    if (list == NULL) {
        triage->result = ENOMEM;
        return;
    }
    campaign_each_file(campaign, "raw", "", list_raw, list);
    qsort(list->traces, list->count, sizeof list->traces[0], compare_sizes);
    size_t done = 0;
    while (done < list->count && triage->result == 0 && !campaign_is_stopped()) {
        fprintf(stderr, "triage: %zu of %zu\n", done + 1, list->count);
        triage_raw(campaign, &list->traces[done], triage);
        done += triage->result == 0;
    }
    campaign->untriaged = list->count - done;
    free(list);
}

/* ---- inputs on which the target died ---- */

struct target_replays {
    struct campaign *campaign;
    const char *path;
    bool has_verdict;
    struct verdict verdict; /* of the first replay that died */
};

static int replay_target(void *context, bool *ret_shows)
{
    struct target_replays *replays = context;
    struct verdict verdict;
    if (!campaign_replay_target(replays->campaign, replays->path, &verdict))
        return 0;
    if (!replays->has_verdict)
        replays->verdict = verdict;
    replays->has_verdict = true;
    *ret_shows = verdict_is_same(&verdict, &replays->verdict);
    return 0;
}

/* It dies in the target only: its k of n is counted there, and it is shrunk there. */
static void make_target_finding(struct campaign *campaign, struct triage *triage,
                                struct trace *trace, const char *path)
{
    struct finding finding;
    struct target_replays replays = {.campaign = campaign, .path = path};
    unsigned reproduced;
    (void)finding_count(replay_target, &replays, TARGET_ATTEMPTS, &reproduced);
    if (reproduced == 0)
        campaign->unexplained++;
    if (reproduced == 0 || is_known(campaign, &replays.verdict))
        return;
    campaign_shrink_target(campaign, trace, &replays.verdict);
    finding_make(&finding, campaign->subject_name, &replays.verdict, "");
    finding.reproduced = reproduced;
    finding.attempts = TARGET_ATTEMPTS;
    finding.trace = *trace;
    save(campaign, triage, &finding);
}

static void triage_trace(struct campaign *campaign, struct triage *triage, struct trace *trace,
                         const char *path)
{
    struct run_options options = executor_thorough(triage->executor, trace->count);
    struct execution execution;
    triage->result =
        executor_run(triage->executor, trace, &options, true, &execution, triage->error);
    if (triage->result != 0)
        return;
    struct verdict verdict = execution.verdict; /* execution is overwritten by the next run */
    if (execution.is_clean)
        make_target_finding(campaign, triage, trace, path);
    else if (!is_known(campaign, &verdict))
        make_finding(campaign, triage, trace, &verdict);
}

static bool triage_input(struct campaign *campaign, const char *path, const char *name,
                         void *context)
{
    struct triage *triage = context;
    struct trace trace = {.ops = calloc(INPUT_OPS_MAX, sizeof(struct trace_op)),
                          .capacity = INPUT_OPS_MAX};
    size_t length;
    (void)name;
    char *bytes = campaign_read_file(path, &length);
    if (bytes != NULL && trace.ops != NULL) {
        trace_decode((const uint8_t *)bytes, length, &trace);
        if (trace.count > 0)
            triage_trace(campaign, triage, &trace, path);
    }
    free(bytes);
    free(trace.ops);
    return triage->result == 0 && !campaign_is_stopped() && ++triage->inputs < INPUTS_MAX;
}

static void triage_afl(struct campaign *campaign, struct triage *triage)
{
    static const char *const kinds[] = {"crashes", "hangs"};
    for (unsigned job = 0; job < campaign->options->jobs; job++)
        for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]) && triage->result == 0;
             kind++) {
            char folder[CAMPAIGN_PATH_MAX];
            campaign_path(folder, "afl/job%u/%s", job, kinds[kind]);
            campaign_each_file(campaign, folder, "id", triage_input, triage);
        }
}

int campaign_triage(struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX])
{
    const struct cli *cli = campaign->options->findings->cli;
    const struct executor_options options = {.cpu_limit_ms = CPU_LIMIT_MS,
                                             .has_capacity = cli->has_capacity,
                                             .capacity = cli->capacity,
                                             .is_cancelled = campaign_is_stopped};
    struct triage triage = {.error = error};
    triage.result = executor_start(&triage.executor, campaign->subject_path, &options, error);
    if (triage.result != 0)
        return triage.result;
    triage_all_raw(campaign, &triage);
    if (triage.result == 0 && !campaign_is_stopped())
        campaign_each_file(campaign, "artifacts", "", triage_input, &triage);
    if (triage.result == 0 && campaign->options->engine == ENGINE_AFL && !campaign_is_stopped())
        triage_afl(campaign, &triage);
    executor_stop(triage.executor);
    return campaign_is_stopped() ? 0 : triage.result;
}
