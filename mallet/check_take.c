/* SPDX-License-Identifier: MIT */
/*
 * What the steps wrote down becomes findings of the check. A campaign that was stopped before it
 * looked at what its engine saved leaves that as traces with the verdict in comments; they are
 * findings that nobody repeated yet.
 */
#include "mallet/check_causes.h"

#include "harness/finding/finding_json.h"
#include "mallet/text_file.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

enum { OPS_MAX = 1 << 16 };

static bool is_same_class(const struct finding *left, const struct finding *right)
{
    return strcmp(left->check, right->check) == 0 && strcmp(left->site, right->site) == 0;
}

/* The trace stands as text among the keys that were read. */
static void parse_trace(struct finding *finding)
{
    const char *text = json_string_value(json_object_get(finding->extra, "trace"));
    struct trace_error error;
    if (text == NULL || strchr(text, '\n') == NULL)
        return;
    size_t lines = 1;
    for (const char *at = text; *at != '\0'; at++)
        lines += *at == '\n';
    struct trace trace = {.ops = calloc(lines, sizeof *trace.ops), .capacity = lines};
    if (lines > OPS_MAX || trace.ops == NULL ||
        trace_parse(text, strlen(text), &trace, &error) != 0)
        free(trace.ops);
    else
        finding->trace = trace;
}

void check_causes_add(struct check_causes *causes, const char *step, struct finding *finding)
{
    struct check_finding *grown =
        realloc(causes->findings, (causes->finding_count + 1) * sizeof *grown);
    if (grown == NULL) {
        finding_done(finding);
        return;
    }
    causes->findings = grown;
    struct check_finding *entry = &grown[causes->finding_count];
    *entry = (struct check_finding){step, *finding, causes->finding_count, 0};
    parse_trace(&entry->finding);
    for (size_t i = causes->finding_count; i-- > 0;)
        if (is_same_class(&grown[i].finding, finding))
            entry->class = grown[i].class;
    causes->finding_count++;
}

/* A probe that failed by itself is no finding: its command says so by its status. */
static bool is_error(const struct finding *finding)
{
    return finding_is_clause(finding) && strcmp(finding->site, "error") == 0;
}

/* Returns whether it is the first of its class. */
static bool take(struct check_causes *causes, const struct check_step *step,
                 struct finding *finding)
{
    size_t before = causes->finding_count;
    if (!is_error(finding)) {
        (void)cli_findings_add(causes->log, finding);
        causes->expected += finding->expected != NULL;
    }
    if (is_error(finding) || finding->expected != NULL) {
        finding_done(finding);
        return false;
    }
    check_causes_add(causes, step->name, finding);
    return before < causes->finding_count && causes->findings[before].class == before;
}

size_t check_causes_take(struct check_causes *causes, const struct check_step *step)
{
    char path[PATH_MAX];
    size_t count = 0, fresh = 0;
    check_findings_path(causes->request, step, path);
    FILE *file = fopen(path, "re");
    struct finding *findings = file != NULL ? finding_read_lines(file, &count) : NULL;
    if (file != NULL)
        fclose(file);
    for (size_t i = 0; i < count; i++)
        fresh += take(causes, step, &findings[i]);
    free(findings);
    return fresh;
}

size_t check_causes_counting(const struct check_causes *causes)
{
    size_t count = 0;
    for (size_t i = 0; i < causes->finding_count; i++)
        count += cli_findings_counts(causes->log, &causes->findings[i].finding);
    return count;
}

/* ---- what a campaign left ---- */

static void read_comment(const char *text, const char *key, char *ret_value, size_t capacity)
{
    const char *found = strstr(text, key);
    size_t length = found != NULL ? strcspn(found + strlen(key), "\n") : 0;
    snprintf(ret_value, capacity, "%.*s", (int)length, found != NULL ? found + strlen(key) : "");
}

static void add_raw(struct check_causes *causes, const struct check_step *step, const char *text)
{
    struct finding finding = {.op = VERDICT_NO_OP};
    snprintf(finding.subject, sizeof finding.subject, "%s", causes->subject);
    read_comment(text, "# check: ", finding.check, sizeof finding.check);
    read_comment(text, "# site: ", finding.site, sizeof finding.site);
    read_comment(text, "# sentence: ", finding.sentence, sizeof finding.sentence);
    finding.extra = json_pack("{s:s}", "trace", text);
    for (size_t i = 0; i < causes->finding_count; i++)
        if (causes->findings[i].step == step->name &&
            is_same_class(&causes->findings[i].finding, &finding)) {
            finding_done(&finding);
            return;
        }
    take(causes, step, &finding);
}

void check_causes_take_raw(struct check_causes *causes, const struct check_step *step)
{
    char folder[PATH_MAX], path[PATH_MAX];
    struct dirent **entries;
    snprintf(folder, sizeof folder, "%.2000s/%s/raw", causes->request->output, step->name);
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%.3000s/%s", folder, entries[i]->d_name);
        char *text = strstr(entries[i]->d_name, ".trace") != NULL ? text_file_read(path) : NULL;
        if (text != NULL)
            add_raw(causes, step, text);
        free(text);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
}
