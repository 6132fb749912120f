/* SPDX-License-Identifier: MIT */
#include "mallet/folders.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int folders_make(const char *path)
{
    char partial[PATH_MAX];
    for (const char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        int length = slash != NULL ? (int)(slash - path) : (int)strlen(path);
        snprintf(partial, sizeof partial, "%.*s", length, path);
        if (mkdir(partial, 0755) != 0 && errno != EEXIST)
            return errno;
        if (slash == NULL)
            return 0;
    }
}
