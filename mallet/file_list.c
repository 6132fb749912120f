/* SPDX-License-Identifier: MIT */
/*
 * Folders are walked with fts in sorted order, so that a run does not depend on the order of
 * directory entries. Files that are named directly are taken whatever their name is.
 */
#include "mallet/file_list.h"

#include "mallet/trace_file.h"

#include <errno.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int append(struct file_list *list, const char *path)
{
    char *copy = strdup(path);
    char **larger = copy != NULL ? realloc(list->paths, (list->count + 1) * sizeof *larger) : NULL;
    if (larger == NULL) {
        free(copy);
        return ENOMEM;
    }
    list->paths = larger;
    list->paths[list->count++] = copy;
    return 0;
}

static bool is_trace_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL && (strcmp(dot, ".trace") == 0 || strcmp(dot, ".bin") == 0);
}

static int compare(const FTSENT **left, const FTSENT **right)
{
    return strcmp((*left)->fts_name, (*right)->fts_name);
}

static int add_below(struct file_list *list, char *folder)
{
    char *const roots[] = {folder, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, compare);
    if (walk == NULL)
        return errno;
    int result = 0;
    FTSENT *entry;
    while (result == 0 && (entry = fts_read(walk)) != NULL) {
        bool is_taken = is_trace_name(entry->fts_name) ||
                        (list->takes_inputs && trace_file_is_input(entry->fts_name));
        if (entry->fts_info == FTS_D && entry->fts_level > 0 && entry->fts_name[0] == '.')
            fts_set(walk, entry, FTS_SKIP);
        else if (entry->fts_info == FTS_F && is_taken)
            result = append(list, entry->fts_path);
        else if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR)
            result = entry->fts_errno;
    }
    fts_close(walk);
    return result;
}

static int add(struct file_list *list, const char *path)
{
    struct stat status;
    if (strcmp(path, "-") == 0)
        return append(list, path);
    if (stat(path, &status) != 0)
        return errno;
    if (!S_ISDIR(status.st_mode))
        return append(list, path);
    char *folder = strdup(path);
    int result = folder != NULL ? add_below(list, folder) : ENOMEM;
    free(folder);
    return result;
}

int file_list_add(struct file_list *list, const char *path, char error[FILE_LIST_ERROR_MAX])
{
    size_t before = list->count;
    int result = add(list, path);
    if (result != 0) {
        snprintf(error, FILE_LIST_ERROR_MAX, "cannot read %.160s: %s", path, strerror(result));
    } else if (list->count == before) {
        snprintf(error, FILE_LIST_ERROR_MAX,
                 "%.160s: the folder holds no *.trace and no *.bin file", path);
        result = ENOENT;
    }
    return result;
}

void file_list_done(struct file_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->paths[i]);
    free(list->paths);
    *list = (struct file_list){0};
}
