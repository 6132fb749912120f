/* SPDX-License-Identifier: MIT */
/*
 * AFL++'s own way to work on several processors and hosts: every instance has a folder in one that
 * all of them share, and reads now and then what is new in the queues of others. One is the main
 * one; it reads from all, and the others may read from it alone.
 *
 *     DIR/afl/job0 (-M), job1 (-S) …                 one campaign, by itself
 *     SYNC/<host>-<hash of DIR>-0 (-M or -S), -1 …   a campaign of many, with --sync
 *
 * The name is the same whenever a campaign is started again in its folder, so AFL++ resumes its
 * own queue. Who made SYNC/main first is the main one, and stays it: the file has its name.
 */
#include "mallet/campaign_internal.h"

#include "harness/base/random.h"
#include "harness/cli/output.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOST_LENGTH = 10 /* AFL++ takes names of up to 32 letters */ };

void campaign_afl_path(char ret_path[CAMPAIGN_PATH_MAX], const struct campaign *campaign,
                       unsigned job, const char *name)
{
    campaign_path(ret_path, "%s/%s%u/%s", campaign->afl_folder, campaign->afl_prefix, job, name);
}

/* AFL++ wants letters, digits, `-` and `_`. */
static void choose_prefix(struct campaign *campaign)
{
    char host[HOST_NAME_MAX + 1] = "host";
    uint64_t hash = 0;
    (void)gethostname(host, sizeof host - 1);
    for (const char *letter = host; *letter != '\0'; letter++)
        hash = random_mix(hash + (unsigned char)*letter);
    for (const char *letter = campaign->output; *letter != '\0'; letter++)
        hash = random_mix(hash + (unsigned char)*letter);
    host[HOST_LENGTH] = '\0';
    for (char *letter = host; *letter != '\0'; letter++)
        if (!isalnum((unsigned char)*letter))
            *letter = '_';
    snprintf(campaign->afl_prefix, sizeof campaign->afl_prefix, "%s-%08x-", host, (unsigned)hash);
}

/* A link appears under its name with its content, or not at all, on shared folders too. */
static int claim_main(struct campaign *campaign)
{
    char own[CAMPAIGN_PATH_MAX], path[CAMPAIGN_PATH_MAX];
    size_t length;
    campaign_path(path, "%s/main", campaign->afl_folder);
    campaign_path(own, "%s/.%smain", campaign->afl_folder, campaign->afl_prefix);
    int result = campaign_write_file(own, campaign->afl_prefix, strlen(campaign->afl_prefix));
    if (result == 0 && link(own, path) != 0 && errno != EEXIST)
        result = errno;
    unlink(own);
    char *name = result == 0 ? campaign_read_file(path, &length) : NULL;
    campaign->is_afl_main = name != NULL && strcmp(name, campaign->afl_prefix) == 0;
    if (result == 0 && name == NULL)
        result = EIO;
    free(name);
    return result;
}

static int share(struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX])
{
    const char *sync = campaign->options->sync;
    char absolute[PATH_MAX], reason[OUTPUT_ERROR_MAX];
    int result = output_make_folder(sync, reason);
    if (result != 0) {
        snprintf(error, CAMPAIGN_ERROR_MAX, "--sync: %s", reason);
        return result;
    }
    if (realpath(sync, absolute) == NULL)
        result = errno;
    campaign_path(campaign->afl_folder, "%s", absolute);
    choose_prefix(campaign);
    if (result == 0)
        result = claim_main(campaign);
    if (result != 0)
        snprintf(error, CAMPAIGN_ERROR_MAX, "--sync: cannot write %.300s: %s", sync,
                 strerror(result));
    return result;
}

int campaign_prepare_sync(struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX])
{
    campaign_path(campaign->afl_folder, "%s/afl", campaign->output);
    snprintf(campaign->afl_prefix, sizeof campaign->afl_prefix, "job");
    campaign->is_afl_main = true;
    return campaign->options->sync != NULL ? share(campaign, error) : 0;
}
