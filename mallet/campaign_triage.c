/* SPDX-License-Identifier: MIT */
/*
 * What the engine left behind becomes findings, one for each class: shrunk, reproduced k of n in
 * fresh processes, saved, and confirmed by the exported program. Raw traces, of which there are
 * many, are looked at by as many jobs as the campaign had, each a fork of this process that takes
 * the next one; this process lists what they saved.
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
#include "harness/process/process.h"
#include "harness/program/confirm.h"
#include "mallet/report.h"
#include "mallet/trace_file.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum {
    ATTEMPTS = 5,
    TARGET_ATTEMPTS = 3,
    CPU_LIMIT_MS = 500,
    SHRINK_BUDGET = 1000, /* runs for one finding; a slow one counts as several */
    INPUT_OPS_MAX = 4096,
    INPUTS_MAX = 200,
    JOBS_MAX = 64,
    POLL_MS = 50
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
static void save_files(struct campaign *campaign, struct triage *triage, struct finding *finding)
{
    char folder[CAMPAIGN_PATH_MAX], path[CAMPAIGN_PATH_MAX], name[VERDICT_CLASS_MAX];
    struct verdict verdict = finding_verdict(finding);
    verdict_class_name(&verdict, name);
    campaign_path(folder, "%s/findings", campaign->output);
    triage->result = report_save(folder, finding, triage->error);
    if (triage->result != 0)
        return;
    campaign_path(path, "%s/%s/program.c", folder, name);
    const struct confirm_request request = {
        .subject = campaign->subject_path,
        .source = path,
        .is_hang = verdict.check == CHECK_PROGRESS,
        .touch_ms = trace_touch_ms(&finding->trace, finding->trace.count),
        .is_cancelled = campaign_is_stopped};
    finding->confirmed = confirm_by_program(&request);
}

/* Returns 0, or a positive errno with one sentence. */
static int list(struct campaign *campaign, struct finding *finding, char *error)
{
    char folder[CAMPAIGN_PATH_MAX];
    if (campaign->count == CAMPAIGN_FINDINGS_MAX)
        return 0;
    struct campaign_finding *entry = &campaign->findings[campaign->count++];
    struct verdict verdict = finding_verdict(finding);
    *entry = (struct campaign_finding){.ops = finding->trace.count};
    verdict_class_name(&verdict, entry->name);
    (void)report_add_finding(campaign->options->findings, finding);
    entry->finding = *finding;
    entry->finding.trace = (struct trace){0};
    fprintf(stderr, "triage: %s: %zu op%s, reproduced %u of %u\n", entry->name, entry->ops,
            entry->ops == 1 ? "" : "s", finding->reproduced, finding->attempts);
    campaign_path(folder, "%s/findings", campaign->output);
    return report_save_json(folder, finding, error); /* with what a baseline says of it */
}

static void save(struct campaign *campaign, struct triage *triage, struct finding *finding)
{
    if (campaign->count == CAMPAIGN_FINDINGS_MAX)
        return;
    save_files(campaign, triage, finding);
    if (triage->result == 0)
        triage->result = list(campaign, finding, triage->error);
}

/* A hang, and not a deadlock. */
static bool is_by_cpu_time(const char *check, const char *sentence)
{
    return strcmp(check, check_name(CHECK_PROGRESS)) == 0 &&
           strstr(sentence, "of CPU without") != NULL;
}

/* A target's limits are short. What returns within ours was slow, no hang; what stops growing
 * within our rounds was a cache, no leak. */
static bool was_premature(const struct finding *finding)
{
    bool was_growth = strcmp(finding->site, "cycle") == 0;
    return finding->reproduced == 0 &&
           (was_growth || is_by_cpu_time(finding->check, finding->sentence));
}

/* So one short run does not say enough of these. */
static bool is_shown_at_once(const struct verdict *verdict)
{
    return !verdict_is_growth(verdict) &&
           !is_by_cpu_time(check_name(verdict->check), verdict->sentence);
}

/* The time is over, and what was shrunk so far has shown it once. */
static void keep_one_showing(struct triage *triage, struct finding *finding)
{
    triage->result = 0;
    finding->reproduced = finding->attempts = 1;
    finding->binding = executor_info(triage->executor)->subject.binding;
}

/* Shrinks and reproduces. The trace is the caller's, changed in place. Returns whether there is a
 * finding to save. */
static bool make_finding(struct campaign *campaign, struct triage *triage, struct trace *trace,
                         const struct verdict *verdict, struct finding *ret_finding)
{
    struct execution execution;
    triage->result =
        shrink_trace(triage->executor, trace, verdict, SHRINK_BUDGET, &execution, triage->error);
    if (triage->result != 0)
        return false;
    bool is_shown = !execution.is_clean && verdict_is_same(&execution.verdict, verdict);
    finding_make(ret_finding, campaign->subject_name, is_shown ? &execution.verdict : verdict,
                 is_shown ? execution.output : "");
    ret_finding->trace = *trace;
    triage->result = finding_reproduce(triage->executor, ret_finding, ATTEMPTS, triage->error);
    if (triage->result == ECANCELED && is_shown && is_shown_at_once(&execution.verdict))
        keep_one_showing(triage, ret_finding);
    return triage->result == 0 && !was_premature(ret_finding);
}

static void start_executor(const struct campaign *campaign, struct triage *triage)
{
    const struct cli *cli = campaign->options->findings->cli;
    const struct executor_options options = {.cpu_limit_ms = CPU_LIMIT_MS,
                                             .has_capacity = cli->has_capacity,
                                             .capacity = cli->capacity,
                                             .is_cancelled = campaign_is_stopped};
    triage->result =
        executor_start(&triage->executor, campaign->subject_path, &options, triage->error);
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

/* Those that are not known yet. */
struct raw_trace {
    char path[CAMPAIGN_PATH_MAX];
    struct verdict verdict;
    off_t size;
    size_t turn; /* how many of its check come before it */
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

static int compare_turns(const void *left, const void *right)
{
    const struct raw_trace *one = left, *other = right;
    return one->turn != other->turn ? (one->turn > other->turn) - (one->turn < other->turn)
                                    : compare_sizes(left, right);
}

/* The shortest shrinks fastest, and is most telling. But the second of a check comes behind the
 * first of each: what shows under one check mostly has one cause, and the time may end. */
static void order_raw(struct raw_list *list)
{
    size_t seen[CHECK_COUNT] = {0};
    qsort(list->traces, list->count, sizeof list->traces[0], compare_sizes);
    for (size_t i = 0; i < list->count; i++)
        list->traces[i].turn = seen[list->traces[i].verdict.check]++;
    qsort(list->traces, list->count, sizeof list->traces[0], compare_turns);
}

/* ---- jobs ---- */

/* What came of a raw trace. */
struct fate {
    atomic_bool is_known; /* stored last by the job, read first by this process */
    bool is_listed;       /* by this process */
    bool is_finding;
    struct finding finding; /* without its trace, which is a file */
};

struct triage_jobs {
    struct campaign *campaign;
    struct raw_list raw;
    /* shared with the jobs */
    atomic_size_t next; /* raw trace that nobody has begun */
    struct fate fates[CAMPAIGN_FINDINGS_MAX];
    atomic_int result; /* why the machinery failed in a job; 0: it did not */
    char error[CAMPAIGN_ERROR_MAX];
    size_t listed; /* by this process */
};

static void triage_raw(struct triage_jobs *jobs, size_t index, struct triage *triage)
{
    struct trace trace;
    char error[TRACE_FILE_ERROR_MAX];
    const struct raw_trace *raw = &jobs->raw.traces[index];
    struct fate *fate = &jobs->fates[index];
    if (trace_file_read(raw->path, &trace, error) == 0) {
        fate->is_finding =
            make_finding(jobs->campaign, triage, &trace, &raw->verdict, &fate->finding);
        if (fate->is_finding)
            save_files(jobs->campaign, triage, &fate->finding);
        fate->finding.trace = (struct trace){0};
        trace_file_done(&trace);
    }
    atomic_store(&fate->is_known, triage->result == 0);
}

/* In a fork. */
static void do_job(void *context)
{
    struct triage_jobs *jobs = context;
    char error[CAMPAIGN_ERROR_MAX] = "";
    struct triage triage = {.error = error};
    start_executor(jobs->campaign, &triage);
    while (triage.result == 0 && !campaign_is_stopped()) {
        size_t index = atomic_fetch_add(&jobs->next, 1);
        if (index >= jobs->raw.count)
            break;
        triage_raw(jobs, index, &triage);
    }
    if (triage.executor != NULL)
        executor_stop(triage.executor);
    if (triage.result == 0 || triage.result == ECANCELED)
        return;
    memcpy(jobs->error, error, sizeof error);
    atomic_store(&jobs->result, triage.result);
}

static int list_fate(struct triage_jobs *jobs, struct fate *fate, char *error)
{
    char path[CAMPAIGN_PATH_MAX], name[VERDICT_CLASS_MAX];
    struct verdict verdict = finding_verdict(&fate->finding);
    fprintf(stderr, "triage: %zu of %zu\n", ++jobs->listed, jobs->raw.count);
    fate->is_listed = true;
    if (!fate->is_finding)
        return 0;
    verdict_class_name(&verdict, name);
    campaign_path(path, "%s/findings/%s/trace.trace", jobs->campaign->output, name);
    int result = trace_file_read(path, &fate->finding.trace, error);
    if (result != 0)
        return result;
    result = list(jobs->campaign, &fate->finding, error);
    trace_file_done(&fate->finding.trace);
    return result;
}

static int list_fates(struct triage_jobs *jobs, char *error)
{
    int result = 0;
    for (size_t i = 0; i < jobs->raw.count && result == 0; i++)
        if (!jobs->fates[i].is_listed && atomic_load(&jobs->fates[i].is_known))
            result = list_fate(jobs, &jobs->fates[i], error);
    return result;
}

/* Starts the jobs and lists what they find until all have ended. */
static int run_jobs(struct triage_jobs *jobs, char error[CAMPAIGN_ERROR_MAX])
{
    static struct process processes[JOBS_MAX];
    struct process *polled[JOBS_MAX];
    const struct process_plan plan = {
        .body = do_job, .context = jobs, .is_cancelled = campaign_is_overdue};
    size_t wanted = jobs->campaign->options->jobs, count = 0, running = 1;
    int result = 0;
    wanted = wanted < 1 ? 1 : wanted < JOBS_MAX ? wanted : JOBS_MAX;
    for (; count < wanted && count < jobs->raw.count && result == 0; count++) {
        polled[count] = &processes[count];
        result = process_spawn(&plan, polled[count]);
    }
    while (running > 0 && result == 0) {
        process_poll(polled, count, POLL_MS);
        running = 0;
        for (size_t i = 0; i < count; i++)
            running += !process_has_ended(&processes[i]);
        result = list_fates(jobs, error);
    }
    for (size_t i = 0; i < count; i++)
        process_release(&processes[i]);
    if (result != 0 || atomic_load(&jobs->result) == 0)
        return result;
    memcpy(error, jobs->error, sizeof jobs->error);
    return atomic_load(&jobs->result);
}

static int triage_all_raw(struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX])
{
    struct triage_jobs *jobs =
        mmap(NULL, sizeof *jobs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (jobs == MAP_FAILED)
        return ENOMEM;
    jobs->campaign = campaign;
    campaign_each_file(campaign, "raw", "", list_raw, &jobs->raw);
    order_raw(&jobs->raw);
    int result = jobs->raw.count > 0 ? run_jobs(jobs, error) : 0;
    campaign->untriaged = jobs->raw.count - jobs->listed;
    munmap(jobs, sizeof *jobs);
    return result;
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
    struct finding finding;
    triage->result =
        executor_run(triage->executor, trace, &options, true, &execution, triage->error);
    if (triage->result != 0)
        return;
    struct verdict verdict = execution.verdict; /* execution is overwritten by the next run */
    if (execution.is_clean)
        make_target_finding(campaign, triage, trace, path);
    else if (!is_known(campaign, &verdict) &&
             make_finding(campaign, triage, trace, &verdict, &finding))
        save(campaign, triage, &finding);
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
            campaign_afl_path(folder, campaign, job, kinds[kind]);
            campaign_each_file(campaign, folder, "id", triage_input, triage);
        }
}

static void triage_inputs(struct campaign *campaign, struct triage *triage)
{
    start_executor(campaign, triage);
    if (triage->result != 0)
        return;
    campaign_each_file(campaign, "artifacts", "", triage_input, triage);
    if (triage->result == 0 && campaign->options->engine == ENGINE_AFL && !campaign_is_stopped())
        triage_afl(campaign, triage);
    executor_stop(triage->executor);
}

int campaign_triage(struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX])
{
    struct triage triage = {.error = error};
    triage.result = triage_all_raw(campaign, error);
    if (triage.result == 0 && !campaign_is_stopped())
        triage_inputs(campaign, &triage);
    return campaign_is_stopped() ? 0 : triage.result;
}
