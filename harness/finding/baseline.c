/* SPDX-License-Identifier: MIT */
#include "harness/finding/baseline.h"

#include "harness/subject/catalog.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n"
#define FORMAT "SUBJECT CHECK-OR-CLAUSE SITE-OR-VERDICT [| SENTENCE]  # reason"

/* The words of an entry stand in one piece of memory, which begins with the subject. */
static int add_entry(struct baseline *baseline, const struct baseline_entry *entry)
{
    struct baseline_entry *grown =
        realloc(baseline->entries, (baseline->count + 1) * sizeof *grown);
    if (grown == NULL)
        return ENOMEM;
    baseline->entries = grown;
    grown[baseline->count++] = *entry;
    return 0;
}

void baseline_done(struct baseline *baseline)
{
    for (size_t i = 0; i < baseline->count; i++)
        free(baseline->entries[i].subject);
    free(baseline->entries);
    *baseline = (struct baseline){0};
}

bool baseline_is_clause(const struct baseline_entry *entry)
{
    return check_find(entry->check) == CHECK_COUNT;
}

/* ---- reading ---- */

static char *trim(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && strchr(BLANKS, text[length - 1]) != NULL)
        text[--length] = '\0';
    return text + strspn(text, BLANKS);
}

/* Cuts the text at the first `mark` behind a blank. Returns what follows it; NULL: there is
 * none. */
static char *cut_at(char *text, char mark)
{
    for (char *at = strchr(text, mark); at != NULL; at = strchr(at + 1, mark)) {
        if (at == text || strchr(BLANKS, at[-1]) == NULL)
            continue;
        *at = '\0';
        return trim(at + 1);
    }
    return NULL;
}

static char *cut_word(char **rest)
{
    char *word = *rest + strspn(*rest, BLANKS);
    *rest = word + strcspn(word, BLANKS);
    if (**rest != '\0')
        *(*rest)++ = '\0';
    return word;
}

static const char *parse_entry(struct baseline_entry *entry, char *text)
{
    char *rest = text;
    *entry = (struct baseline_entry){.reason = cut_at(text, '#')};
    entry->sentence = cut_at(text, '|');
    entry->subject = cut_word(&rest);
    entry->check = cut_word(&rest);
    entry->site = cut_word(&rest);
    if (entry->reason == NULL)
        entry->reason = text + strlen(text);
    bool has_empty_sentence = entry->sentence != NULL && entry->sentence[0] == '\0';
    if (entry->site[0] == '\0' || *trim(rest) != '\0' || has_empty_sentence)
        return "is not `" FORMAT "`";
    bool is_failure = strcmp(entry->site, "fail") == 0 || strcmp(entry->site, "error") == 0;
    if (baseline_is_clause(entry) && !is_failure)
        return "names no check, and no clause either: its VERDICT is neither `fail` nor `error`";
    return NULL;
}

static int parse_line(struct baseline *baseline, const char *line, const char **ret_complaint)
{
    struct baseline_entry entry;
    line += strspn(line, BLANKS);
    if (line[0] == '#' || line[0] == '\0')
        return 0;
    *ret_complaint = "does not fit into memory";
    char *text = strdup(line);
    if (text == NULL)
        return ENOMEM;
    const char *complaint = parse_entry(&entry, text);
    if (complaint != NULL)
        *ret_complaint = complaint;
    int result = complaint != NULL ? EINVAL : add_entry(baseline, &entry);
    if (result != 0)
        free(text);
    return result;
}

static int read_lines(struct baseline *baseline, FILE *file, const char *path,
                      char error[BASELINE_ERROR_MAX])
{
    char *line = NULL;
    const char *complaint = "";
    size_t capacity = 0;
    int result = 0;
    errno = 0;
    for (size_t number = 1; result == 0 && getline(&line, &capacity, file) >= 0; number++)
        if ((result = parse_line(baseline, line, &complaint)) != 0)
            snprintf(error, BASELINE_ERROR_MAX, "%s:%zu: the line %s", path, number, complaint);
    if (result == 0 && !feof(file)) {
        result = errno != 0 ? errno : EIO;
        snprintf(error, BASELINE_ERROR_MAX, "cannot read %s: %s", path, strerror(result));
    }
    free(line);
    return result;
}

int baseline_read(struct baseline *baseline, const char *path, char error[BASELINE_ERROR_MAX])
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        int result = errno;
        snprintf(error, BASELINE_ERROR_MAX, "cannot read %s: %s", path, strerror(result));
        return result;
    }
    int result = read_lines(baseline, file, path, error);
    fclose(file);
    return result;
}

/* ---- asking ---- */

static bool is_expected_by(const struct baseline_entry *entry, const struct finding *finding)
{
    return strcmp(entry->check, finding->check) == 0 &&
           fnmatch(entry->site, finding->site, 0) == 0 &&
           catalog_matches(entry->subject, finding->subject) &&
           (entry->sentence == NULL || fnmatch(entry->sentence, finding->sentence, 0) == 0);
}

const char *baseline_find(const struct baseline *baseline, const struct finding *finding)
{
    const char *reason = NULL;
    for (size_t i = 0; i < baseline->count; i++)
        if (is_expected_by(&baseline->entries[i], finding)) {
            baseline->entries[i].is_met = true;
            reason = reason != NULL ? reason : baseline->entries[i].reason;
        }
    return reason;
}

size_t baseline_stale(const struct baseline *baseline, const char *subject)
{
    size_t stale = 0;
    for (size_t i = 0; i < baseline->count; i++)
        stale +=
            !baseline->entries[i].is_met && catalog_matches(baseline->entries[i].subject, subject);
    return stale;
}

/* ---- writing ---- */

/* A name as a pattern of one word that matches it. */
static void write_pattern(FILE *out, const char *name)
{
    if (name[0] == '\0')
        fputc('*', out);
    for (; *name != '\0'; name++)
        fputc(isspace((unsigned char)*name) || strchr("*[]\\#|", *name) != NULL ? '?' : *name, out);
}

static char *make_line(const struct finding *finding)
{
    char *line = NULL;
    size_t length;
    FILE *memory = open_memstream(&line, &length);
    if (memory == NULL)
        return NULL;
    write_pattern(memory, finding->subject);
    fprintf(memory, " %s ", finding->check);
    write_pattern(memory, finding->site);
    if (finding->sentence[0] != '\0')
        fprintf(memory, "  # %s", finding->sentence);
    if (fclose(memory) == 0)
        return line;
    free(line);
    return NULL;
}

static bool is_same_class(const struct baseline_entry *left, const struct baseline_entry *right)
{
    return strcmp(left->subject, right->subject) == 0 && strcmp(left->check, right->check) == 0 &&
           strcmp(left->site, right->site) == 0;
}

int baseline_add(struct baseline *baseline, const struct finding *finding)
{
    struct baseline_entry entry;
    char *line = make_line(finding);
    if (line == NULL)
        return ENOMEM;
    parse_entry(&entry, line);
    bool is_there = false;
    for (size_t i = 0; i < baseline->count && !is_there; i++)
        is_there = is_same_class(&baseline->entries[i], &entry);
    int result = is_there ? 0 : add_entry(baseline, &entry);
    if (is_there || result != 0)
        free(line);
    return result;
}

static int compare_entries(const void *left, const void *right)
{
    const struct baseline_entry *first = left, *second = right;
    int order = strcmp(first->subject, second->subject);
    if (order == 0)
        order = strcmp(first->check, second->check);
    return order != 0 ? order : strcmp(first->site, second->site);
}

void baseline_write(FILE *out, struct baseline *baseline)
{
    if (baseline->count > 0)
        qsort(baseline->entries, baseline->count, sizeof *baseline->entries, compare_entries);
    fputs("# " FORMAT "\n", out);
    for (size_t i = 0; i < baseline->count; i++) {
        const struct baseline_entry *entry = &baseline->entries[i];
        fprintf(out, "%s %s %s", entry->subject, entry->check, entry->site);
        if (entry->sentence != NULL)
            fprintf(out, " | %s", entry->sentence);
        fprintf(out, "%s%s\n", entry->reason[0] != '\0' ? "  # " : "", entry->reason);
    }
}
