/* SPDX-License-Identifier: MIT */
/*
 * The seeds stand beside the folder of the programs: in a build folder as a link to the source
 * tree, in an installation one folder up.
 */
#include "mallet/seeds.h"

#include "harness/base/proc.h"
#include "harness/subject/subject_plan.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool has_traces(const char *path, char error[SEEDS_ERROR_MAX])
{
    DIR *folder = opendir(path);
    bool has = false;
    if (folder == NULL)
        snprintf(error, SEEDS_ERROR_MAX, "cannot read the folder %.160s: %s",
                 path[0] != '\0' ? path : "``", strerror(errno));
    else
        snprintf(error, SEEDS_ERROR_MAX, "no text traces (*.trace) in %.160s", path);
    for (struct dirent *entry = folder != NULL ? readdir(folder) : NULL; entry != NULL && !has;
         entry = readdir(folder))
        has = strstr(entry->d_name, ".trace") != NULL;
    if (folder != NULL)
        closedir(folder);
    return has;
}

bool seeds_find(const char *asked, char ret_path[PATH_MAX], char error[SEEDS_ERROR_MAX])
{
    static const char *const places[] = {"../corpus/seeds", "../../corpus/seeds"};
    char own[PATH_MAX / 2];
    snprintf(ret_path, PATH_MAX, "%s", asked != NULL ? asked : "");
    if (asked != NULL)
        return has_traces(ret_path, error);
    if (!proc_own_folder(own, sizeof own))
        own[0] = '\0';
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        snprintf(ret_path, PATH_MAX, "%s/%s", own, places[i]);
        if (has_traces(ret_path, error))
            return true;
    }
    snprintf(error, SEEDS_ERROR_MAX, "the project's own traces are not beside this program");
    return false;
}
