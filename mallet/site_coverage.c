/* SPDX-License-Identifier: MIT */
/*
 * lcov data: of each file, which lines, functions and branches there are and whether each was
 * executed. A function is known by its first line: a `static inline` one of a header has a record
 * in every source that includes it, and counts once.
 */
#include "mallet/site.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 256 };

/* "DIR/unit.info" → "unit". */
static void name_source(const char *path, char ret_name[NAME_MAX_BYTES])
{
    const char *slash = strrchr(path, '/');
    snprintf(ret_name, NAME_MAX_BYTES, "%s", slash != NULL ? slash + 1 : path);
    *strrchr(ret_name, '.') = '\0';
}

static json_t *child_of(json_t *parent, const char *key)
{
    json_t *child = json_object_get(parent, key);
    if (child != NULL)
        return child;
    json_object_set_new(parent, key, json_object());
    return json_object_get(parent, key);
}

/* Something that is there, and whether it was executed: once is enough. */
static void mark(json_t *file, const char *kind, const char *key, bool is_hit)
{
    json_t *marks = child_of(file, kind);
    if (is_hit || json_object_get(marks, key) == NULL)
        json_object_set_new(marks, key, json_boolean(is_hit));
}

struct lcov {
    json_t *files, *file; /* file: of the last SF record; NULL: none yet */
    json_t *starts;       /* the lines of its functions by their names */
};

/* lcov 2 writes the last line of a function before its name. */
static const char *skip_last_line(const char *text)
{
    const char *end = text;
    while (isdigit((unsigned char)*end))
        end++;
    return end > text && *end == ',' ? end + 1 : text;
}

static void take_function(struct lcov *lcov, const char *count, const char *name)
{
    const char *line = json_string_value(json_object_get(lcov->starts, name));
    if (line != NULL)
        mark(lcov->file, "functions", line, strtoull(count, NULL, 10) > 0);
}

/* Splits "12,3" behind the last comma of the first `commas`; NULL: it has fewer. */
static char *split(char *text, unsigned commas)
{
    while (text != NULL && commas-- > 0) {
        text = strchr(text, ',');
        if (text != NULL)
            text++;
    }
    if (text != NULL)
        text[-1] = '\0';
    return text;
}

/* Returns false for a record that is not as lcov writes it. */
static bool take_record(struct lcov *lcov, char *line)
{
    char *values = strchr(line, ':'), *last;
    if (values == NULL)
        return strcmp(line, "end_of_record") == 0;
    *values++ = '\0';
    if (strcmp(line, "SF") == 0) {
        lcov->file = child_of(lcov->files, values);
        json_object_clear(lcov->starts);
        return true;
    }
    if (strcmp(line, "FN") == 0 || strcmp(line, "FNDA") == 0 || strcmp(line, "DA") == 0) {
        last = split(values, 1);
        if (last == NULL || lcov->file == NULL)
            return false;
        if (line[0] == 'D')
            mark(lcov->file, "lines", values, strtoull(last, NULL, 10) > 0);
        else if (line[2] == '\0')
            json_object_set_new(lcov->starts, skip_last_line(last), json_string(values));
        else
            take_function(lcov, values, last);
        return true;
    }
    if (strcmp(line, "BRDA") != 0)
        return true;
    last = split(values, 3);
    if (last == NULL || lcov->file == NULL)
        return false;
    mark(lcov->file, "branches", values, strcmp(last, "-") != 0 && strcmp(last, "0") != 0);
    return true;
}

int site_add_coverage(struct site *site, const char *path, char error[SITE_ERROR_MAX])
{
    char name[NAME_MAX_BYTES], *line = NULL;
    size_t capacity = 0, number = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        snprintf(error, SITE_ERROR_MAX, "cannot read %.160s: %s", path, strerror(errno));
        return errno;
    }
    name_source(path, name);
    struct lcov lcov = {.files = child_of(site->coverage, name), .starts = json_object()};
    int result = 0;
    while (result == 0 && getline(&line, &capacity, file) >= 0) {
        number++;
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] != '\0' && !take_record(&lcov, line)) {
            snprintf(error, SITE_ERROR_MAX, "%.160s:%zu: not an lcov record", path, number);
            result = EINVAL;
        }
    }
    if (result == 0 && lcov.file == NULL) {
        snprintf(error, SITE_ERROR_MAX, "%.160s: no source file in it", path);
        result = EINVAL;
    }
    site->files += result == 0;
    json_decref(lcov.starts);
    free(line);
    fclose(file);
    return result;
}

static const char *const kinds[] = {"lines", "functions", "branches"};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* [lines, of which hit, functions, of which hit, branches, of which hit] */
static json_t *sum_file(const json_t *file)
{
    json_t *sums = json_array(), *hit;
    const char *key;
    for (size_t i = 0; i < KINDS; i++) {
        json_t *marks = json_object_get(file, kinds[i]);
        size_t hits = 0;
        json_object_foreach(marks, key, hit)
        {
            hits += json_is_true(hit);
        }
        json_array_append_new(sums, json_integer((json_int_t)json_object_size(marks)));
        json_array_append_new(sums, json_integer((json_int_t)hits));
    }
    return sums;
}

static json_t *sum_source(json_t *files)
{
    json_t *sums = json_object(), *file;
    const char *name;
    json_object_foreach(files, name, file)
    {
        json_object_set_new(sums, name, sum_file(file));
    }
    return sums;
}

static void merge(json_t *all, json_t *files)
{
    const char *name, *key;
    json_t *file, *hit;
    json_object_foreach(files, name, file)
    {
        for (size_t i = 0; i < KINDS; i++)
            json_object_foreach(json_object_get(file, kinds[i]), key, hit)
            {
                mark(child_of(all, name), kinds[i], key, json_is_true(hit));
            }
    }
}

json_t *site_sum_coverage(const struct site *site)
{
    json_t *sums = json_object(), *all = json_object(), *files;
    const char *source;
    json_object_foreach(site->coverage, source, files)
    {
        json_object_set_new(sums, source, sum_source(files));
        merge(all, files);
    }
    if (json_object_size(sums) > 1)
        json_object_set_new(sums, "union", sum_source(all));
    json_decref(all);
    return sums;
}
