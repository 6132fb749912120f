/* SPDX-License-Identifier: MIT */
#include "conformance/baseline.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static int add_entry(struct baseline *baseline, const struct baseline_entry *entry,
                     const char *reason)
{
    struct baseline_entry *grown =
        realloc(baseline->entries, (baseline->count + 1) * sizeof *grown);
    if (grown == NULL)
        return ENOMEM;
    baseline->entries = grown;
    grown[baseline->count] = *entry;
    grown[baseline->count].reason = strdup(reason);
    return grown[baseline->count++].reason != NULL ? 0 : ENOMEM;
}

static char *skip_blanks(char *text)
{
    return text + strspn(text, " \t\r\n");
}

static void cut_end(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
}

static int parse_line(struct baseline *baseline, char *line, const char **ret_reason)
{
    struct baseline_entry entry;
    char verdict[32];
    int end = 0;
    line = skip_blanks(line);
    if (line[0] == '#' || line[0] == '\0')
        return 0;
    *ret_reason = "is not `SUBJECT CLAUSE VERDICT  # reason`";
    if (sscanf(line, "%127s %63s %31s%n", entry.subject, entry.clause, verdict, &end) != 3 ||
        end == 0)
        return EINVAL;
    char *rest = skip_blanks(line + end);
    if (rest[0] != '#' && rest[0] != '\0')
        return EINVAL;
    *ret_reason = "has a VERDICT that is neither `fail` nor `error`";
    entry.verdict = clause_verdict_find(verdict);
    if (entry.verdict != CLAUSE_FAIL && entry.verdict != CLAUSE_ERROR)
        return EINVAL;
    *ret_reason = "does not fit into memory";
    rest = skip_blanks(rest + (rest[0] == '#'));
    cut_end(rest);
    return add_entry(baseline, &entry, rest);
}

static int read_lines(struct baseline *baseline, FILE *file, const char *path,
                      char error[BASELINE_ERROR_MAX])
{
    char *line = NULL;
    const char *reason = "";
    size_t capacity = 0;
    int result = 0;
    errno = 0;
    for (size_t number = 1; result == 0 && getline(&line, &capacity, file) >= 0; number++)
        if ((result = parse_line(baseline, line, &reason)) != 0)
            snprintf(error, BASELINE_ERROR_MAX, "%s:%zu: the line %s", path, number, reason);
    if (result == 0 && !feof(file)) {
        result = errno != 0 ? errno : EIO;
        snprintf(error, BASELINE_ERROR_MAX, "cannot read %s: %s", path, strerror(result));
    }
    free(line);
    return result;
}

int baseline_read(struct baseline *ret_baseline, const char *path, char error[BASELINE_ERROR_MAX])
{
    *ret_baseline = (struct baseline){0};
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        int result = errno;
        snprintf(error, BASELINE_ERROR_MAX, "cannot read %s: %s", path, strerror(result));
        return result;
    }
    int result = read_lines(ret_baseline, file, path, error);
    fclose(file);
    return result;
}

void baseline_done(struct baseline *baseline)
{
    for (size_t i = 0; i < baseline->count; i++)
        free(baseline->entries[i].reason);
    free(baseline->entries);
    *baseline = (struct baseline){0};
}

const char *baseline_find(const struct baseline *baseline, const char *subject,
                          const struct clause_result *result)
{
    for (size_t i = 0; i < baseline->count; i++) {
        const struct baseline_entry *entry = &baseline->entries[i];
        if (entry->verdict == result->verdict && strcmp(entry->clause, result->clause->id) == 0 &&
            fnmatch(entry->subject, subject, 0) == 0)
            return entry->reason;
    }
    return NULL;
}

/* What the clause came to instead, for a subject that the entry is about; NULL: it does what the
 * entry expects, or nobody knows. */
static const struct clause_result *find_better(const struct baseline_entry *entry,
                                               const struct report_column *column,
                                               bool *ret_applies)
{
    const struct clause_result *better = NULL;
    if (fnmatch(entry->subject, column->name, 0) != 0)
        return NULL;
    for (size_t i = 0; i < column->results.count; i++) {
        const struct clause_result *result = &column->results.results[i];
        if (strcmp(result->clause->id, entry->clause) != 0)
            continue;
        *ret_applies |= result->verdict == entry->verdict;
        if (result->verdict != CLAUSE_UNSUPPORTED && result->verdict != entry->verdict)
            better = result;
    }
    return better;
}

bool baseline_is_outdated(const struct baseline_entry *entry, const struct conform_report *report,
                          char ret_news[BASELINE_NEWS_MAX])
{
    const char *verdict = clause_verdict_name(entry->verdict);
    const struct clause_result *better = NULL;
    bool applies = false;
    if (clauses_find(entry->clause) == NULL) {
        snprintf(ret_news, BASELINE_NEWS_MAX,
                 "no longer applies: %s %s %s: there is no such clause", entry->subject,
                 entry->clause, verdict);
        return true;
    }
    for (size_t i = 0; i < report->count; i++) {
        const struct clause_result *found = find_better(entry, &report->columns[i], &applies);
        better = found != NULL ? found : better;
    }
    if (applies || better == NULL)
        return false;
    snprintf(ret_news, BASELINE_NEWS_MAX, "no longer applies: %s %s %s: the verdict is %s",
             entry->subject, entry->clause, verdict, clause_verdict_name(better->verdict));
    return true;
}

/* A name that a pattern of one word matches. */
static void write_pattern(FILE *out, const char *name)
{
    for (; *name != '\0'; name++)
        fputc(isspace((unsigned char)*name) || strchr("*[]\\#", *name) != NULL ? '?' : *name, out);
}

static char *make_line(const struct report_column *column, const struct clause_result *result)
{
    char *line = NULL;
    size_t length;
    FILE *memory = open_memstream(&line, &length);
    if (memory == NULL)
        return NULL;
    write_pattern(memory, column->name);
    fprintf(memory, " %s %s", result->clause->id, clause_verdict_name(result->verdict));
    fprintf(memory, "%s%s\n", result->evidence[0] != '\0' ? "  # " : "", result->evidence);
    return fclose(memory) == 0 ? line : NULL;
}

static int compare_lines(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static int collect_lines(const struct conform_report *report, char **lines, size_t *count)
{
    for (size_t i = 0; i < report->count; i++)
        for (size_t j = 0; j < report->columns[i].results.count; j++) {
            const struct clause_result *result = &report->columns[i].results.results[j];
            if (report_is_bad(result) &&
                (lines[(*count)++] = make_line(&report->columns[i], result)) == NULL)
                return ENOMEM;
        }
    return 0;
}

int baseline_write(FILE *out, const struct conform_report *report)
{
    size_t most = 1, count = 0;
    for (size_t i = 0; i < report->count; i++)
        most += report->columns[i].results.count;
    char **lines = calloc(most, sizeof *lines);
    int result = lines != NULL ? collect_lines(report, lines, &count) : ENOMEM;
    if (result == 0) {
        qsort(lines, count, sizeof *lines, compare_lines);
        fputs("# SUBJECT CLAUSE VERDICT  # reason\n", out);
        for (size_t i = 0; i < count; i++)
            fputs(lines[i], out);
    }
    for (size_t i = 0; i < count; i++)
        free(lines[i]);
    free(lines);
    return result;
}
