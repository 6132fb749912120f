/* SPDX-License-Identifier: MIT */
/*
 * A folder is walked in sorted order. A *.json file whose head names it a document of mallet is
 * taken, a *.info file is lcov's, trend.tsv has points over commits. Folders with a great many
 * files that are neither, such as a campaign's corpus, are skipped by name.
 */
#include "harness/cli/cli.h"
#include "mallet/site.h"
#include "mallet/text_file.h"

#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The progress of a campaign stands beside its summary.json. */
static void add_progress(json_t *entry, const char *path)
{
    char beside[PATH_MAX];
    const char *name = strrchr(path, '/');
    size_t length = name != NULL ? (size_t)(name + 1 - path) : 0;
    snprintf(beside, sizeof beside, "%.*sprogress.tsv", (int)length, path);
    char *text = text_file_read(beside);
    if (text != NULL)
        json_object_set_new(entry, "progress", json_string(text));
    free(text);
}

static int add_document(struct site *site, const char *path, char error[SITE_ERROR_MAX])
{
    json_error_t place;
    json_t *document = json_load_file(path, 0, &place);
    if (document == NULL) {
        snprintf(error, SITE_ERROR_MAX, "%.160s:%d: %s", path, place.line, place.text);
        return EINVAL;
    }
    const char *kind = json_string_value(json_object_get(document, "document"));
    json_int_t version = json_integer_value(json_object_get(document, "version"));
    bool is_ours = kind != NULL && json_object_get(document, "tool") != NULL;
    if (is_ours && version != CLI_DOCUMENT_VERSION) {
        snprintf(error, SITE_ERROR_MAX,
                 "%.160s: version %lld of a `%.40s` document; this mallet reads version %d", path,
                 (long long)version, kind, CLI_DOCUMENT_VERSION);
        json_decref(document);
        return EINVAL;
    }
    if (is_ours) {
        json_t *entry = json_pack("{s:s, s:O}", "file", path, "document", document);
        if (strcmp(kind, "fuzz") == 0)
            add_progress(entry, path);
        json_array_append_new(site->documents, entry);
        site->files++;
    }
    json_decref(document);
    return 0;
}

static bool ends_in(const char *name, const char *end)
{
    size_t length = strlen(name), wanted = strlen(end);
    return length > wanted && strcmp(name + length - wanted, end) == 0;
}

/* Folders of a campaign without documents. */
static bool is_passed_over(const char *name)
{
    static const char *const names[] = {"seeds", "corpus", "raw", "artifacts", "afl", "html"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static int take(struct site *site, FTS *walk, FTSENT *entry, char error[SITE_ERROR_MAX])
{
    switch (entry->fts_info) {
    case FTS_D:
        if (entry->fts_level > 0 && is_passed_over(entry->fts_name))
            fts_set(walk, entry, FTS_SKIP);
        return 0;
    case FTS_F:
        if (ends_in(entry->fts_name, ".json"))
            return add_document(site, entry->fts_path, error);
        if (strcmp(entry->fts_name, "trend.tsv") == 0)
            return site_add_trend(site, entry->fts_path, error);
        if (ends_in(entry->fts_name, ".info"))
            return site_add_coverage(site, entry->fts_path, error);
        return 0;
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        snprintf(error, SITE_ERROR_MAX, "cannot read %.160s: %s", entry->fts_path,
                 strerror(entry->fts_errno));
        return entry->fts_errno;
    default:
        return 0;
    }
}

static int compare(const FTSENT **left, const FTSENT **right)
{
    return strcmp((*left)->fts_name, (*right)->fts_name);
}

static int walk_folder(struct site *site, char *folder, char error[SITE_ERROR_MAX])
{
    char *const roots[] = {folder, NULL};
    FTSENT *entry;
    int result = 0;
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, compare);
    if (walk == NULL) {
        snprintf(error, SITE_ERROR_MAX, "cannot read %.160s: %s", folder, strerror(errno));
        return errno;
    }
    while (result == 0 && (entry = fts_read(walk)) != NULL)
        result = take(site, walk, entry, error);
    fts_close(walk);
    return result;
}

int site_gather(struct site *site, const char *folder, char error[SITE_ERROR_MAX])
{
    struct stat status;
    char *path = strdup(folder);
    size_t before = site->files;
    int result = path == NULL ? ENOMEM : stat(folder, &status) != 0 ? errno : 0;
    if (site->documents == NULL)
        *site = (struct site){.lines = site->lines,
                              .documents = json_array(),
                              .trend = json_array(),
                              .coverage = json_object()};
    if (result == 0 && !S_ISDIR(status.st_mode))
        result = ENOTDIR;
    if (result != 0)
        snprintf(error, SITE_ERROR_MAX, "cannot read the folder %.160s: %s", folder,
                 strerror(result));
    if (result == 0)
        result = walk_folder(site, path, error);
    free(path);
    if (result == 0 && site->files == before) {
        snprintf(error, SITE_ERROR_MAX,
                 "%.160s: the folder holds no JSON document of this version of mallet and no lcov "
                 "data (*.info)",
                 folder);
        result = ENOENT;
    }
    return result;
}

void site_done(struct site *site)
{
    json_decref(site->documents);
    json_decref(site->coverage);
    json_decref(site->trend);
    *site = (struct site){0};
}
