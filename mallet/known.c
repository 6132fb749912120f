/* SPDX-License-Identifier: MIT */
#include "mallet/known.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct known_entry {
    char subject[64];
    enum check check;
    char site[VERDICT_SITE_MAX];
};

static int parse_line(struct known *known, const char *line, const char **ret_reason)
{
    char check[32], rest[8];
    struct known_entry entry;
    int fields = sscanf(line, "%63s %31s %39s %7s", entry.subject, check, entry.site, rest);
    if (fields <= 0 || entry.subject[0] == '#')
        return 0;
    *ret_reason = "is not `SUBJECT CHECK SITE`";
    if (fields != 3)
        return EINVAL;
    *ret_reason = "names no check of `mallet replay`";
    entry.check = check_find(check);
    if (entry.check == CHECK_COUNT)
        return EINVAL;
    *ret_reason = "does not fit into memory";
    struct known_entry *grown = realloc(known->entries, (known->count + 1) * sizeof *grown);
    if (grown == NULL)
        return ENOMEM;
    known->entries = grown;
    known->entries[known->count++] = entry;
    return 0;
}

static int read_lines(struct known *known, FILE *file, const char *path,
                      char error[KNOWN_ERROR_MAX])
{
    char line[256];
    const char *reason = "";
    int result = 0;
    for (size_t number = 1; result == 0 && fgets(line, sizeof line, file) != NULL; number++)
        if ((result = parse_line(known, line, &reason)) != 0)
            snprintf(error, KNOWN_ERROR_MAX, "%s:%zu: the line %s", path, number, reason);
    if (result == 0 && ferror(file)) {
        result = EIO;
        snprintf(error, KNOWN_ERROR_MAX, "%s: %s", path, strerror(result));
    }
    return result;
}

int known_read(struct known *ret_known, const char *path, char error[KNOWN_ERROR_MAX])
{
    *ret_known = (struct known){0};
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        int result = errno;
        snprintf(error, KNOWN_ERROR_MAX, "%s: %s", path, strerror(result));
        return result;
    }
    int result = read_lines(ret_known, file, path, error);
    fclose(file);
    return result;
}

void known_done(struct known *known)
{
    free(known->entries);
    *known = (struct known){0};
}

bool known_has(const struct known *known, const char *subject, const struct verdict *verdict)
{
    for (size_t i = 0; i < known->count; i++) {
        const struct known_entry *entry = &known->entries[i];
        if (entry->check == verdict->check && fnmatch(entry->site, verdict->site, 0) == 0 &&
            fnmatch(entry->subject, subject, 0) == 0)
            return true;
    }
    return false;
}
