/* SPDX-License-Identifier: MIT */
/*
 * Engine processes: one for each job, started again when they die, for a libFuzzer target ends with
 * the first crash. Plain processes that share the corpus folder start in no time and need no
 * merging, unlike libFuzzer's own fork mode.
 *
 * What they print is read line by line, for the progress, and goes to engine.log.
 */
#include "mallet/campaign_internal.h"

#include "harness/base/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    JOBS_MAX = 64,
    LINE_MAX_BYTES = 512,
    POLL_MS = 100,
    STOP_LIMIT_MS = 3000, /* between asking and killing */
    EARLY_MS = 2000,      /* an end so soon is suspicious … */
    EARLY_ENDS_MAX = 20,  /* … so many in a row are a failure */
    EXIT_NO_SUBJECT = 98  /* of fuzz_trace */
};

struct job {
    struct process process;
    bool is_fuzzing; /* past the corpus */
    unsigned early_ends;
    char line[LINE_MAX_BYTES];
    size_t length;
    char last_words[LINE_MAX_BYTES]; /* its last line that says what is wrong */
};

static struct {
    struct job jobs[JOBS_MAX];
    unsigned count;
    uint64_t start_ms, end_ms;
} state;

/* ---- starting and ending ---- */

/* With at_least, a campaign that found nothing goes on until it had so many runs. */
static bool has_had_its_time(struct campaign *campaign)
{
    const struct campaign_status *status = &campaign->status;
    if (clock_now_ms() < state.end_ms)
        return false;
    campaign_update_status(campaign);
    return status->executions >= campaign->options->at_least || status->raw + status->artifacts > 0;
}

static int job_start(struct campaign *campaign, unsigned index)
{
    struct job *job = &state.jobs[index];
    uint64_t now = clock_now_ms(), left_ms = state.end_ms > now ? state.end_ms - now : 0;
    unsigned seconds =
        campaign->options->at_least > 0 ? CLI_TIME_MAX_S : (unsigned)(left_ms / 1000 + 1);
    job->is_fuzzing = false;
    job->length = 0;
    return campaign_spawn_job(campaign, index, seconds, &job->process);
}

/* ---- output ---- */

/* AFL++ prints colours. */
static void copy_plain(char *ret_text, const char *text)
{
    while (*text != '\0') {
        if (*text != '\033') {
            *ret_text++ = *text++;
            continue;
        }
        text += strcspn(text, "mhlABCDHJK");
        text += *text != '\0';
    }
    *ret_text = '\0';
}

static void job_take_line(struct campaign *campaign, struct job *job)
{
    job->line[job->length] = '\0';
    job->length = 0;
    if (strstr(job->line, "INITED") != NULL || strstr(job->line, "Entering queue cycle") != NULL)
        job->is_fuzzing = true;
    if (strncmp(job->line, "fuzz_trace:", 11) == 0 || strstr(job->line, "PROGRAM ABORT") != NULL ||
        strncmp(job->line, "/", 1) == 0)
        copy_plain(job->last_words, job->line);
    campaign_parse_line(campaign, (unsigned)(job - state.jobs), job->line);
}

static void job_read(struct campaign *campaign, struct job *job)
{
    char bytes[4096];
    size_t got;
    while ((got = process_read(&job->process, bytes, sizeof(bytes))) > 0) {
        ssize_t written = write(campaign->log, bytes, got);
        (void)written; /* a full disk shows when the findings are saved */
        for (size_t i = 0; i < got; i++) {
            if (bytes[i] == '\n')
                job_take_line(campaign, job);
            else if (job->length + 1 < sizeof(job->line))
                job->line[job->length++] = bytes[i];
        }
    }
}

/* ---- an input that kills the target before it fuzzes ---- */

struct same {
    const char *bytes;
    size_t length;
};

static bool remove_if_same(struct campaign *campaign, const char *path, const char *name,
                           void *context)
{
    const struct same *same = context;
    size_t length;
    (void)campaign, (void)name;
    char *bytes = campaign_read_file(path, &length);
    if (bytes != NULL && length == same->length && memcmp(bytes, same->bytes, length) == 0)
        unlink(path);
    free(bytes);
    return true;
}

static bool remove_copies(struct campaign *campaign, const char *path, const char *name,
                          void *context)
{
    struct same same;
    (void)name, (void)context;
    char *bytes = campaign_read_file(path, &same.length);
    same.bytes = bytes;
    if (bytes != NULL && same.length > 0) {
        campaign_each_file(campaign, "seeds", "", remove_if_same, &same);
        campaign_each_file(campaign, "corpus", "", remove_if_same, &same);
    }
    free(bytes);
    return true;
}

/* ---- watching ---- */

/* A job that is gone: its last output, its statistics; then started again, unless it makes no
 * sense. Returns 0 or a positive errno. */
static int job_follow_up(struct campaign *campaign, unsigned index)
{
    struct job *job = &state.jobs[index];
    uint64_t now = clock_now_ms();
    int status = job->process.status;
    job_read(campaign, job);
    campaign->instances[index].before = campaign->instances[index].executions;
    process_release(&job->process);
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_SUBJECT)
        return ECHILD;
    if (has_had_its_time(campaign) || campaign_is_stopped())
        return 0;
    if (!job->is_fuzzing && campaign->options->engine == ENGINE_LIBFUZZER)
        campaign_each_file(campaign, "artifacts", "", remove_copies, NULL);
    job->early_ends = now - job->process.started_ms < EARLY_MS ? job->early_ends + 1 : 0;
    if (campaign->options->engine == ENGINE_AFL || job->early_ends > EARLY_ENDS_MAX)
        return ECHILD;
    return job_start(campaign, index);
}

static bool job_is_running(const struct job *job)
{
    return job->process.pid != 0;
}

static int jobs_reap(struct campaign *campaign)
{
    int result = 0;
    for (unsigned i = 0; i < state.count && result == 0; i++)
        if (job_is_running(&state.jobs[i]) && process_has_ended(&state.jobs[i].process))
            result = job_follow_up(campaign, i);
    return result;
}

static void jobs_poll(struct campaign *campaign)
{
    struct process *processes[JOBS_MAX];
    for (unsigned i = 0; i < state.count; i++)
        processes[i] = &state.jobs[i].process;
    process_poll(processes, state.count, POLL_MS);
    for (unsigned i = 0; i < state.count; i++)
        if (job_is_running(&state.jobs[i]))
            job_read(campaign, &state.jobs[i]);
}

static unsigned jobs_running(void)
{
    unsigned running = 0;
    for (unsigned i = 0; i < state.count; i++)
        running += job_is_running(&state.jobs[i]);
    return running;
}

/* Asks them to end, so that they write their last statistics; then insists. */
static void jobs_stop(struct campaign *campaign)
{
    uint64_t limit = clock_now_ms() + STOP_LIMIT_MS;
    state.end_ms = 0;
    for (unsigned i = 0; i < state.count; i++)
        process_signal(&state.jobs[i].process, SIGINT);
    while (jobs_running() > 0 && clock_now_ms() < limit) {
        jobs_poll(campaign);
        jobs_reap(campaign);
    }
    for (unsigned i = 0; i < state.count; i++)
        if (job_is_running(&state.jobs[i])) {
            process_kill(&state.jobs[i].process);
            job_follow_up(campaign, i);
        }
}

static void explain(char error[CAMPAIGN_ERROR_MAX], int result)
{
    const char *words = result == ECHILD
                            ? "it keeps ending; engine.log in the output folder says why"
                            : strerror(result);
    for (unsigned i = 0; i < state.count && result == ECHILD; i++)
        if (state.jobs[i].last_words[0] != '\0')
            words = state.jobs[i].last_words;
    snprintf(error, CAMPAIGN_ERROR_MAX, "the engine does not run: %s", words);
}

static bool has_had_its_runs(const struct campaign *campaign)
{
    return campaign->options->runs > 0 && campaign->status.executions >= campaign->options->runs;
}

int campaign_run_jobs(struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX])
{
    int result = 0;
    memset(&state, 0, sizeof(state));
    state.count = campaign->options->jobs < JOBS_MAX ? campaign->options->jobs : JOBS_MAX;
    state.start_ms = clock_now_ms();
    state.end_ms = state.start_ms + (uint64_t)campaign->options->seconds * 1000;
    campaign_begin_course(campaign);
    for (unsigned i = 0; i < state.count && result == 0; i++)
        result = job_start(campaign, i);
    while (result == 0 && !has_had_its_time(campaign) && !campaign_is_stopped() &&
           !has_had_its_runs(campaign) && jobs_running() > 0) {
        jobs_poll(campaign);
        result = jobs_reap(campaign);
        campaign_show_progress(campaign, (int64_t)(clock_now_ms() - state.start_ms), false);
        campaign_append_course(campaign, (int64_t)(clock_now_ms() - state.start_ms), false);
    }
    campaign->engine_ms = (int64_t)(clock_now_ms() - state.start_ms);
    campaign->is_interrupted = campaign_is_stopped();
    jobs_stop(campaign);
    campaign_show_progress(campaign, campaign->engine_ms, true);
    campaign_append_course(campaign, campaign->engine_ms, true);
    if (result != 0)
        explain(error, result);
    return result;
}
