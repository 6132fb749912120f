/* SPDX-License-Identifier: MIT */
/* How far a campaign is: from the statistics that the targets write, from what libFuzzer prints and
 * from AFL++'s fuzzer_stats. */
#include "mallet/campaign_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TERMINAL_EVERY_MS = 500, PLAIN_EVERY_MS = 10000 };

/* The number behind key in text, as of its last line with that key; 0 if there is none. */
static uint64_t number_after(const char *text, const char *key)
{
    const char *found = strstr(text, key);
    return found != NULL ? strtoull(found + strlen(key), NULL, 10) : 0;
}

struct sums {
    uint64_t executions, features;
};

static bool add_statistics(struct campaign *campaign, const char *path, const char *name,
                           void *context)
{
    struct sums *sums = context;
    size_t length;
    (void)campaign, (void)name;
    char *text = campaign_read_file(path, &length);
    if (text == NULL)
        return true;
    uint64_t features = number_after(text, "features=");
    sums->executions += number_after(text, "executions=");
    sums->features = features > sums->features ? features : sums->features;
    free(text);
    return true;
}

static unsigned most(unsigned known, uint64_t seen)
{
    return seen > known ? (unsigned)seen : known;
}

static void take_afl_statistics(struct campaign *campaign, struct campaign_instance *instance,
                                const char *text)
{
    instance->executions = number_after(text, "execs_done        : ");
    instance->corpus = (unsigned)number_after(text, "corpus_count      : ");
    instance->coverage = (unsigned)number_after(text, "edges_found       : ");
    campaign->status.coverage = most(campaign->status.coverage, instance->coverage);
}

static void read_afl(struct campaign *campaign)
{
    for (unsigned job = 0; job < campaign->options->jobs; job++) {
        char path[CAMPAIGN_PATH_MAX], folder[CAMPAIGN_PATH_MAX];
        size_t length;
        campaign_afl_path(path, campaign, job, "fuzzer_stats");
        campaign_afl_path(folder, campaign, job, "queue");
        campaign->status.corpus =
            most(campaign->status.corpus, campaign_count_files(campaign, folder, "id"));
        char *text = campaign_read_file(path, &length);
        if (text != NULL)
            take_afl_statistics(campaign, &campaign->instances[job], text);
        free(text);
        campaign_afl_path(folder, campaign, job, "crashes");
        campaign->status.artifacts += campaign_count_files(campaign, folder, "id");
        campaign_afl_path(folder, campaign, job, "hangs");
        campaign->status.artifacts += campaign_count_files(campaign, folder, "id");
    }
}

void campaign_update_status(struct campaign *campaign)
{
    struct sums sums = {0};
    campaign_each_file(campaign, "raw", "stats-", add_statistics, &sums);
    campaign->status.executions = sums.executions;
    campaign->status.features = most(campaign->status.features, sums.features);
    campaign->status.raw =
        campaign_count_files(campaign, "raw", "") - campaign_count_files(campaign, "raw", "stats-");
    campaign->status.artifacts = campaign_count_files(campaign, "artifacts", "");
    if (campaign->options->engine == ENGINE_AFL)
        read_afl(campaign);
    else
        campaign->status.corpus =
            most(campaign->status.corpus, campaign_count_files(campaign, "corpus", ""));
}

/* "#8192 pulse cov: 310 ft: 420 corp: 77/2kb …" */
void campaign_parse_line(struct campaign *campaign, unsigned index, const char *line)
{
    struct campaign_instance *instance = &campaign->instances[index];
    if (line[0] != '#')
        return;
    instance->executions = instance->before + number_after(line, "#");
    instance->coverage = most(instance->coverage, number_after(line, " cov: "));
    instance->features = most(instance->features, number_after(line, " ft: "));
    instance->corpus = most(instance->corpus, number_after(line, " corp: "));
    campaign->status.coverage = most(campaign->status.coverage, instance->coverage);
    campaign->status.corpus = most(campaign->status.corpus, instance->corpus);
}

static void print_line(const struct campaign *campaign, int64_t elapsed_ms, const char *begin,
                       const char *end)
{
    const struct campaign_status *status = &campaign->status;
    int64_t seconds = elapsed_ms / 1000;
    fprintf(stderr,
            "%s%02d:%02d  %llu runs, %llu/s  corpus %u  coverage %u  behaviour %u  findings %zu",
            begin, (int)(seconds / 60), (int)(seconds % 60), (unsigned long long)status->executions,
            (unsigned long long)(status->executions * 1000 /
                                 (uint64_t)(elapsed_ms > 0 ? elapsed_ms : 1)),
            status->corpus, status->coverage, status->features, status->raw);
    if (status->artifacts > 0)
        fprintf(stderr, "  crashed inputs %zu", status->artifacts);
    fputs(end, stderr);
    fflush(stderr);
}

void campaign_show_progress(struct campaign *campaign, int64_t elapsed_ms, bool is_last)
{
    static int64_t shown_ms;
    bool is_terminal = isatty(STDERR_FILENO) != 0;
    int64_t every = is_terminal ? TERMINAL_EVERY_MS : PLAIN_EVERY_MS;
    if (!is_last && elapsed_ms - shown_ms < every)
        return;
    bool was_just_shown = is_last && !is_terminal && shown_ms > 0 && elapsed_ms - shown_ms < 1000;
    shown_ms = elapsed_ms;
    campaign_update_status(campaign);
    if (was_just_shown)
        return;
    if (is_terminal)
        print_line(campaign, elapsed_ms, "\r", is_last ? "\033[K\n" : "\033[K");
    else
        print_line(campaign, elapsed_ms, "", "\n");
}
