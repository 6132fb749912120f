/* SPDX-License-Identifier: MIT */
/*
 * The order of a campaign: everything that can refuse is tried first, the engine gets its time,
 * triage follows, the summary comes last and comes always, after Ctrl-C too. The subject is bound
 * once by ourselves at the start: one that cannot be bound must not start an engine.
 */
#include "mallet/campaign_internal.h"

#include "harness/base/clock.h"
#include "harness/executor/executor.h"
#include "mallet/command.h"
#include "mallet/site.h"

#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A silent campaign of fewer runs proves nothing. */
enum { RUNS_MINIMUM = 2000, TRIAGE_MS_LEAST = 10000, ENDING_MS = 2000, WRITING_MS = 1000 };

static volatile sig_atomic_t stops; /* SIGINT and SIGTERM so far */
static uint64_t end_ms;             /* of triage; 0: none */

static bool is_stopped_by(uint64_t now_ms)
{
    return stops > 0 || cli_is_unread() || (end_ms != 0 && now_ms >= end_ms);
}

bool campaign_is_stopped(void)
{
    return is_stopped_by(clock_now_ms());
}

bool campaign_is_overdue(void)
{
    return is_stopped_by(clock_now_ms() - WRITING_MS);
}

void campaign_path(char ret_path[CAMPAIGN_PATH_MAX], const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int length = vsnprintf(ret_path, CAMPAIGN_PATH_MAX, format, values);
    va_end(values);
    if (length < 0 || length >= CAMPAIGN_PATH_MAX)
        ret_path[0] = '\0';
}

/* The first signal ends the engine, the second the triage, each of them at once: nothing that runs
 * is waited for (is_cancelled). What comes behind is short, but one who insists may end it. */
static void on_signal(int signal_number)
{
    stops = stops + 1;
    if (stops > 2)
        signal(signal_number, SIG_DFL);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int bind_subject(struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX])
{
    struct subject_plan plan;
    char absolute[PATH_MAX];
    int result = executor_find_subject(&plan, campaign->options->subject, BIND_AUTO,
                                       SUBJECT_IN_PROCESS, error);
    if (result != 0)
        return result;
    bool is_file = plan.binding != BIND_STATIC && plan.binding != BIND_HOST;
    campaign_path(campaign->subject_path, "%s",
                  is_file && realpath(plan.spec, absolute) != NULL ? absolute : plan.spec);
    snprintf(campaign->subject_name, sizeof(campaign->subject_name), "%s", plan.name);
    return 0;
}

static void choose_output(struct campaign *campaign)
{
    const char *engine = campaign->options->engine == ENGINE_AFL ? "afl" : "libfuzzer";
    if (campaign->options->output != NULL)
        campaign_path(campaign->output, "%s", campaign->options->output);
    else
        campaign_path(campaign->output, "mallet-report/%s-%s", campaign->subject_name, engine);
}

static int prepare(struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX])
{
    int result = bind_subject(campaign, error);
    if (result != 0)
        return result;
    choose_output(campaign);
    result = campaign_find_corpus(campaign, error);
    if (result == 0)
        result = campaign_find_engine(campaign, error);
    if (result == 0)
        result = campaign_prepare_folder(campaign, error);
    if (result == 0)
        result = campaign_prepare_sync(campaign, error);
    if (result == 0)
        result = campaign_fill_seeds(campaign, error);
    return result;
}

/* What else is in the folder may keep it from being made: the campaign is as good without. */
static void write_page(const struct campaign *campaign)
{
    char error[SITE_ERROR_MAX];
    if (site_write_beside(campaign->output, error) != 0)
        fprintf(stderr, "mallet: no page for people: %s\n", error);
    else if (!campaign->options->is_json && !cli_is_unread())
        printf("page: %s/index.html\n", campaign->output);
}

static int run(struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX])
{
    campaign_load_summary(campaign);
    catch_signals();
    int result = campaign_run_jobs(campaign, error);
    stops = 0;
    uint64_t half_ms = campaign->options->runs > 0 ? (uint64_t)campaign->engine_ms / 2
                                                   : (uint64_t)campaign->options->seconds * 500;
    uint64_t least_ms = TRIAGE_MS_LEAST + ENDING_MS; /* half as long again, with what ends late */
    end_ms = clock_now_ms() + (half_ms > least_ms ? half_ms : least_ms) - ENDING_MS;
    if (campaign->options->engine == ENGINE_AFL)
        campaign_collect_corpus(campaign);
    if (result == 0)
        result = campaign_triage(campaign, error);
    char save_error[CAMPAIGN_ERROR_MAX];
    if (campaign_save_summary(campaign, save_error) != 0 && result == 0) {
        memcpy(error, save_error, sizeof(save_error));
        result = 1;
    }
    campaign_print_summary(campaign);
    write_page(campaign);
    return result;
}

struct cli_work campaign_work(const struct campaign *campaign)
{
    uint64_t asked = campaign->options->runs;
    return (struct cli_work){.done = campaign->status.executions,
                             .minimum = asked > 0 ? asked : RUNS_MINIMUM};
}

int campaign_run(const struct campaign_options *options)
{
    static struct campaign campaign;
    char error[CAMPAIGN_ERROR_MAX] = "";
    campaign = (struct campaign){.options = options, .log = -1};
    int result = prepare(&campaign, error);
    if (result == 0)
        result = run(&campaign, error);
    if (campaign.log >= 0)
        close(campaign.log);
    if (result != 0)
        return refuse("%s", error);
    if (campaign.is_interrupted)
        return EXIT_INTERRUPTED;
    for (size_t i = 0; i < campaign.count; i++)
        if (cli_findings_counts(options->findings, &campaign.findings[i].finding))
            return EXIT_FINDINGS;
    const struct cli_work work = campaign_work(&campaign);
    return work.done < work.minimum || campaign.untriaged > 0 ? EXIT_INCOMPLETE : EXIT_CLEAN;
}
