/* SPDX-License-Identifier: MIT */
#include "mallet/rubric.h"

#include "conformance/clauses.h"
#include "harness/cli/cli.h"
#include "harness/run/check.h"
#include "mallet/text_file.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT_DEFAULT_S = 60, POINTS_MAX = 10000 };
static const char builds[] = "builds";

bool rubric_is_build(const struct rubric_criterion *criterion)
{
    return strcmp(criterion->names.list[0], builds) == 0;
}

bool rubric_needs(const struct rubric_criterion *criterion, const char *step)
{
    for (size_t i = 0; i < criterion->names.count && !rubric_is_build(criterion); i++) {
        bool is_check = check_find(criterion->names.list[i]) < CHECK_COUNT;
        if (strcmp(step, is_check ? "pass" : "clauses") == 0)
            return true;
    }
    return false;
}

bool rubric_has(const struct rubric_criterion *criterion, const char *name)
{
    for (size_t i = 0; i < criterion->names.count; i++)
        if (fnmatch(criterion->names.list[i], name, 0) == 0)
            return true;
    return false;
}

/* A criterion that nothing can lose is a slip of the pen. */
static bool is_known(const char *name)
{
    if (strcmp(name, builds) == 0 || check_find(name) < CHECK_COUNT)
        return true;
    clauses_load();
    for (size_t i = 0; i < clauses_count(); i++)
        if (fnmatch(name, clauses_at(i)->id, 0) == 0)
            return true;
    return false;
}

/* Returns the first word too many; NULL: all are taken. */
static const char *take_words(struct rubric_words *words, char *rest)
{
    char *place = NULL;
    for (char *word = strtok_r(rest, " \t", &place); word != NULL;
         word = strtok_r(NULL, " \t", &place)) {
        if (words->count == RUBRIC_WORDS_MAX)
            return word;
        words->list[words->count++] = word;
    }
    return NULL;
}

/* Each of the parsers returns whether the line is right, else with a sentence. */
static bool take_points(struct rubric *rubric, char *rest, char *sentence, size_t capacity)
{
    char *end;
    unsigned long points = strtoul(rest, &end, 10);
    struct rubric_criterion *criterion = &rubric->criteria[rubric->count];
    if (end == rest || points > POINTS_MAX || rubric->count == RUBRIC_CRITERIA_MAX) {
        snprintf(sentence, capacity, "`points` needs a number up to %d, in %d lines at most",
                 POINTS_MAX, RUBRIC_CRITERIA_MAX);
        return false;
    }
    criterion->points = (unsigned)points;
    if (take_words(&criterion->names, end) != NULL || criterion->names.count == 0) {
        snprintf(sentence, capacity, "`points %lu` needs one to %d names", points,
                 RUBRIC_WORDS_MAX);
        return false;
    }
    for (size_t i = 0; i < criterion->names.count; i++)
        if (!is_known(criterion->names.list[i])) {
            snprintf(sentence, capacity,
                     "`%.64s` is no check, no clause and not `builds`; `mallet clauses` lists them",
                     criterion->names.list[i]);
            return false;
        }
    rubric->points += criterion->points;
    rubric->count++;
    return true;
}

static bool take_line(struct rubric *rubric, char *line, char *sentence, size_t capacity)
{
    size_t length = strcspn(line, " \t");
    char *rest = line + length + strspn(line + length, " \t");
    line[length] = '\0';
    if (strcmp(line, "points") == 0)
        return take_points(rubric, rest, sentence, capacity);
    if (strcmp(line, "title") == 0)
        rubric->title = rest;
    else if (strcmp(line, "file") == 0)
        rubric->file = rest;
    else if (strcmp(line, "limit") == 0)
        rubric->limit = cli_parse_time("limit", rest);
    else if (strcmp(line, "options") != 0 || take_words(&rubric->options, rest) != NULL) {
        snprintf(sentence, capacity, "`%.64s` is none of title, file, options, limit, points",
                 line);
        return false;
    }
    return true;
}

int rubric_read(struct rubric *ret_rubric, const char *path, char error[RUBRIC_ERROR_MAX])
{
    char sentence[256] = "";
    unsigned number = 0;
    struct rubric rubric = {.text = text_file_read(path), .title = "", .limit = LIMIT_DEFAULT_S};
    if (rubric.text == NULL) {
        snprintf(error, RUBRIC_ERROR_MAX, "cannot read %.300s: %s", path, strerror(errno));
        return errno;
    }
    for (char *line = rubric.text, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        number++;
        line += strspn(line, " \t");
        if (*line == '\0' || *line == '#' || take_line(&rubric, line, sentence, sizeof sentence))
            continue;
        snprintf(error, RUBRIC_ERROR_MAX, "%.200s:%u: %s", path, number, sentence);
        rubric_done(&rubric);
        return EINVAL;
    }
    if (rubric.count == 0) {
        snprintf(error, RUBRIC_ERROR_MAX, "%.300s: no line `points N NAME…`", path);
        rubric_done(&rubric);
        return EINVAL;
    }
    *ret_rubric = rubric;
    return 0;
}

void rubric_done(struct rubric *rubric)
{
    free(rubric->text);
    rubric->text = NULL;
}
