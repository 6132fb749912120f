/* SPDX-License-Identifier: MIT */
/* The output folder: made and tried before anything is started, so that a campaign cannot fail for
 * it after an hour; and the seeds. */
#include "mallet/campaign_internal.h"

#include "harness/cli/output.h"
#include "mallet/seeds.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROBE_SIZE = 1 << 20, SEED_OPS_MAX = 1 << 16 };

/* ---- files ---- */

char *campaign_read_file(const char *path, size_t *ret_length)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file < 0)
        return NULL;
    size_t length = 0, size = fstat(file, &status) == 0 ? (size_t)status.st_size : 0;
    char *text = malloc(size + 1);
    while (text != NULL && length < size) {
        ssize_t got = read(file, text + length, size - length);
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    close(file);
    if (text != NULL)
        text[length] = '\0';
    *ret_length = length;
    return text;
}

int campaign_write_file(const char *path, const void *bytes, size_t length)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0)
        return errno;
    const char *next = bytes;
    int result = 0;
    while (length > 0 && result == 0) {
        ssize_t written = write(file, next, length);
        if (written < 0) {
            result = errno;
            break;
        }
        next += written;
        length -= (size_t)written;
    }
    if (close(file) != 0 && result == 0)
        result = errno;
    return result;
}

static int is_plain(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

void campaign_each_file(struct campaign *campaign, const char *folder, const char *prefix,
                        campaign_visit *visit, void *context)
{
    char inside[CAMPAIGN_PATH_MAX], path[CAMPAIGN_PATH_MAX];
    struct dirent **entries;
    bool goes_on = true;
    bool is_absolute = folder[0] == '/';
    campaign_path(inside, "%s%s%s", is_absolute ? "" : campaign->output, is_absolute ? "" : "/",
                  folder);
    int count = scandir(inside, &entries, is_plain, alphasort);
    if (count < 0)
        return;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name;
        if (goes_on && strncmp(name, prefix, strlen(prefix)) == 0) {
            campaign_path(path, "%s/%s", inside, name);
            goes_on = visit(campaign, path, name, context);
        }
        free(entries[i]);
    }
    free(entries);
}

static bool count_one(struct campaign *campaign, const char *path, const char *name, void *context)
{
    (void)campaign, (void)path, (void)name;
    ++*(size_t *)context;
    return true;
}

size_t campaign_count_files(struct campaign *campaign, const char *folder, const char *prefix)
{
    size_t count = 0;
    campaign_each_file(campaign, folder, prefix, count_one, &count);
    return count;
}

/* ---- the folder ---- */

static int make_layout(const struct campaign *campaign)
{
    static const char *const folders[] = {"seeds", "corpus", "raw", "artifacts", "findings"};
    char path[CAMPAIGN_PATH_MAX], error[OUTPUT_ERROR_MAX];
    int result = output_make_folder(campaign->output, error);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && result == 0; i++) {
        campaign_path(path, "%s/%s", campaign->output, folders[i]);
        result = output_make_folder(path, error);
    }
    return result;
}

static int try_to_write(const struct campaign *campaign)
{
    char path[CAMPAIGN_PATH_MAX];
    char *bytes = malloc(PROBE_SIZE);
    if (bytes == NULL)
        return ENOMEM;
    memset(bytes, 'm', PROBE_SIZE);
    campaign_path(path, "%s/.probe", campaign->output);
    int result = campaign_write_file(path, bytes, PROBE_SIZE);
    unlink(path);
    free(bytes);
    return result;
}

static bool remove_one(struct campaign *campaign, const char *path, const char *name, void *context)
{
    (void)campaign, (void)name, (void)context;
    unlink(path);
    return true;
}

static int open_log(struct campaign *campaign)
{
    char path[CAMPAIGN_PATH_MAX];
    campaign_path(path, "%s/engine.log", campaign->output);
    campaign->log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    return campaign->log < 0 ? errno : 0;
}

int campaign_prepare_folder(struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX])
{
    char absolute[CAMPAIGN_PATH_MAX], wanted[CAMPAIGN_PATH_MAX];
    campaign_path(wanted, "%s", campaign->output);
    int result = make_layout(campaign);
    if (result == 0 && realpath(campaign->output, absolute) == NULL)
        result = errno;
    if (result == 0) {
        campaign_path(campaign->output, "%s", absolute);
        result = try_to_write(campaign);
    }
    if (result == 0)
        result = open_log(campaign);
    if (result != 0) {
        snprintf(error, CAMPAIGN_ERROR_MAX, "the output folder %.300s cannot be written: %s",
                 wanted, strerror(result));
        return result;
    }
    campaign_each_file(campaign, "raw", "stats-", remove_one, NULL);
    return 0;
}

/* ---- seeds ---- */

/* Where there are no seeds: enough for an engine to begin with. */
static const char first_seed[] =
    "#0 = malloc 24\n#1 = calloc 4 100\n#2 = malloc 5000\nfree #1\n#0 = realloc #0 200\n"
    "#1 = aligned_alloc 64 192\nsweep\nfree #2\n#2 = malloc 1000\n";

static int encode_seed(struct campaign *campaign, const char *name, const char *text, size_t length)
{
    struct trace trace = {.ops = calloc(SEED_OPS_MAX, sizeof(struct trace_op)),
                          .capacity = SEED_OPS_MAX};
    uint8_t *bytes = malloc((size_t)SEED_OPS_MAX * TRACE_OP_BYTES_MAX);
    struct trace_error error;
    char path[CAMPAIGN_PATH_MAX];
    int result = ENOMEM;
    if (trace.ops != NULL && bytes != NULL)
        result = trace_parse(text, length, &trace, &error);
    if (result == 0) {
        campaign_path(path, "%s/seeds/%s", campaign->output, name);
        result = campaign_write_file(
            path, bytes, trace_encode(&trace, bytes, (size_t)SEED_OPS_MAX * TRACE_OP_BYTES_MAX));
    } else if (result != ENOMEM) {
        fprintf(stderr, "mallet fuzz: seed %s is left out: line %zu: %s\n", name, error.line,
                error.sentence);
        result = 0;
    }
    free(trace.ops);
    free(bytes);
    return result;
}

static int encode_folder(struct campaign *campaign, const char *folder)
{
    DIR *open_folder = opendir(folder);
    int result = open_folder == NULL ? errno : 0;
    for (struct dirent *entry = open_folder != NULL ? readdir(open_folder) : NULL;
         entry != NULL && result == 0; entry = readdir(open_folder)) {
        char path[CAMPAIGN_PATH_MAX], name[CAMPAIGN_PATH_MAX];
        size_t length;
        const char *end = strstr(entry->d_name, ".trace");
        if (end == NULL || entry->d_name[0] == '.')
            continue;
        campaign_path(path, "%s/%s", folder, entry->d_name);
        campaign_path(name, "%.*s", (int)(end - entry->d_name), entry->d_name);
        char *text = campaign_read_file(path, &length);
        if (text != NULL)
            result = encode_seed(campaign, name, text, length);
        free(text);
    }
    if (open_folder != NULL)
        closedir(open_folder);
    return result;
}

int campaign_find_corpus(const struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX])
{
    char corpus[PATH_MAX], reason[SEEDS_ERROR_MAX];
    if (campaign->options->corpus == NULL || seeds_find(campaign->options->corpus, corpus, reason))
        return 0;
    snprintf(error, CAMPAIGN_ERROR_MAX, "--corpus: %s", reason);
    return ENOENT;
}

int campaign_fill_seeds(struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX])
{
    char corpus[PATH_MAX], reason[SEEDS_ERROR_MAX];
    bool is_found = seeds_find(campaign->options->corpus, corpus, reason);
    int result = is_found ? encode_folder(campaign, corpus)
                          : encode_seed(campaign, "first", first_seed, sizeof(first_seed) - 1);
    if (result != 0)
        snprintf(error, CAMPAIGN_ERROR_MAX, "the seeds in %.300s cannot be written: %s",
                 campaign->output, strerror(result));
    return result;
}

/* ---- AFL++'s queue ---- */

static bool copy_input(struct campaign *campaign, const char *path, const char *name, void *context)
{
    char target[CAMPAIGN_PATH_MAX];
    size_t length;
    char *bytes = campaign_read_file(path, &length);
    campaign_path(target, "%s/corpus/%s-%s", campaign->output, (const char *)context, name);
    bool is_written = bytes == NULL || access(target, F_OK) == 0 ||
                      campaign_write_file(target, bytes, length) == 0;
    free(bytes);
    return is_written;
}

void campaign_collect_corpus(struct campaign *campaign)
{
    for (unsigned job = 0; job < campaign->options->jobs; job++) {
        char folder[CAMPAIGN_PATH_MAX], prefix[32];
        snprintf(prefix, sizeof(prefix), "afl%u", job);
        campaign_afl_path(folder, campaign, job, "queue");
        campaign_each_file(campaign, folder, "id", copy_input, prefix);
    }
}
