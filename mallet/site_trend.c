/* SPDX-License-Identifier: MIT */
/*
 * trend.tsv: numbers over commits, a point a line, appended by ci/trend:
 *
 *     date  commit  chart, with its unit  series  value
 */
#include "mallet/site.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 5 };

/* NULL: the line is no point. */
static json_t *parse_point(char *line)
{
    json_t *point = json_array();
    char *rest = line, *column, *end = NULL;
    while ((column = strsep(&rest, "\t")) != NULL && json_array_size(point) < COLUMNS - 1)
        json_array_append_new(point, json_string(column));
    double value = column != NULL ? strtod(column, &end) : 0;
    if (column != NULL && end != column && *end == '\0' && rest == NULL) {
        json_array_append_new(point, json_real(value));
        return point;
    }
    json_decref(point);
    return NULL;
}

int site_add_trend(struct site *site, const char *path, char error[SITE_ERROR_MAX])
{
    char *line = NULL;
    size_t capacity = 0, number = 0;
    int result = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        snprintf(error, SITE_ERROR_MAX, "cannot read %.160s: %s", path, strerror(errno));
        return errno;
    }
    while (result == 0 && getline(&line, &capacity, file) >= 0) {
        number++;
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] == '#')
            continue;
        json_t *point = parse_point(line);
        if (point == NULL) {
            snprintf(error, SITE_ERROR_MAX,
                     "%.160s:%zu: not a date, a commit, a chart, a series and a value", path,
                     number);
            result = EINVAL;
        } else {
            json_array_append_new(site->trend, point);
        }
    }
    site->files += result == 0;
    free(line);
    fclose(file);
    return result;
}
