/* SPDX-License-Identifier: MIT */
/*
 * The course of a campaign as DIR/progress.tsv, for charts. A line is
 *
 *     seconds  instance  executions  corpus  coverage  features  findings
 *
 * with `all` for the instance, and one for each of several, as their engine last printed (libFuzzer
 * prints when something is new, AFL++ once a minute). A run begins with a line of `#`; a campaign
 * that is continued adds a run. Lines come every second at first, and rarer in a long run.
 */
#include "mallet/campaign_internal.h"

#include <inttypes.h>
#include <stdio.h>

enum { EVERY_MS = 1000, PART_OF_ELAPSED = 200 };

static int64_t next_ms;

/* What cannot be written is left out: the campaign is what matters. */
static FILE *open_course(const struct campaign *campaign)
{
    char path[CAMPAIGN_PATH_MAX];
    campaign_path(path, "%s/progress.tsv", campaign->output);
    return fopen(path, "ae");
}

void campaign_begin_course(const struct campaign *campaign)
{
    FILE *file = open_course(campaign);
    next_ms = EVERY_MS;
    if (file == NULL)
        return;
    fputs("# seconds\tinstance\texecutions\tcorpus\tcoverage\tfeatures\tfindings\n", file);
    fclose(file);
}

static void write_instance(FILE *file, double seconds, unsigned index,
                           const struct campaign_instance *instance)
{
    fprintf(file, "%.1f\t%u\t%" PRIu64 "\t%u\t%u\t%u\t0\n", seconds, index, instance->executions,
            instance->corpus, instance->coverage, instance->features);
}

void campaign_append_course(struct campaign *campaign, int64_t elapsed_ms, bool is_last)
{
    double seconds = (double)elapsed_ms / 1000;
    const struct campaign_status *status = &campaign->status;
    FILE *file = elapsed_ms >= next_ms || is_last ? open_course(campaign) : NULL;
    if (file == NULL)
        return;
    next_ms = elapsed_ms + EVERY_MS + elapsed_ms / PART_OF_ELAPSED;
    campaign_update_status(campaign);
    fprintf(file, "%.1f\tall\t%" PRIu64 "\t%u\t%u\t%u\t%zu\n", seconds, status->executions,
            status->corpus, status->coverage, status->features, status->raw);
    for (unsigned i = 0; i < campaign->options->jobs && campaign->options->jobs > 1; i++)
        write_instance(file, seconds, i, &campaign->instances[i]);
    fclose(file);
}
