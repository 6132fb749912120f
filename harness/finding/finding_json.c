/* SPDX-License-Identifier: MIT */
#include "harness/finding/finding_json.h"
#include "harness/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* In JSON the site of a clause is this word, and its verdict a key of its own. */
static const char clause_site[] = "clause";

/* ---- writing ---- */

static json_t *make_trace(const struct finding *finding)
{
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    if (memory == NULL)
        return NULL;
    for (size_t i = 0; i < finding->trace.count; i++) {
        char line[TRACE_LINE_MAX];
        trace_format_op(&finding->trace.ops[i], line);
        fprintf(memory, "%s\n", line);
    }
    json_t *string = fclose(memory) == 0 ? json_stringn(text, length) : NULL;
    free(text);
    return string;
}

static json_t *make_confirmation(enum confirmation confirmed)
{
    return confirmed == CONFIRM_UNKNOWN ? json_null() : json_boolean(confirmed == CONFIRM_YES);
}

json_t *finding_to_json(const struct finding *finding)
{
    bool is_clause = finding_is_clause(finding);
    json_t *object = json_object();
    int failed = json_object_set_new(object, "subject", json_string(finding->subject));
    failed |= json_object_set_new(object, "check", json_string(finding->check));
    failed |=
        json_object_set_new(object, "site", json_string(is_clause ? clause_site : finding->site));
    if (is_clause) {
        failed |= json_object_set_new(object, "clause", json_string(finding->check));
        failed |= json_object_set_new(object, "verdict", json_string(finding->site));
    }
    failed |= json_object_set_new(
        object, "op", finding->op < finding->trace.count ? json_integer(finding->op) : json_null());
    if (finding->cycle > 0)
        failed |= json_object_set_new(object, "cycle", json_integer(finding->cycle));
    failed |= json_object_set_new(object, "sentence", json_string(finding->sentence));
    if (finding->trace.count > 0)
        failed |= json_object_set_new(object, "trace", make_trace(finding));
    if (finding->program != NULL)
        failed |= json_object_set_new(object, "program", json_string(finding->program));
    failed |= json_object_set_new(
        object, "reproduced",
        json_pack("{s:i, s:i}", "times", (int)finding->reproduced, "of", (int)finding->attempts));
    failed |= json_object_set_new(object, "output", json_string(finding->output));
    failed |=
        json_object_set_new(object, "confirmed_by_program", make_confirmation(finding->confirmed));
    if (finding->binding != BIND_AUTO)
        failed |= json_object_set_new(object, "binding",
                                      json_string(subject_binding_name(finding->binding)));
    if (finding_note(finding) != NULL)
        failed |= json_object_set_new(object, "note", json_string(finding_note(finding)));
    if (finding->expected != NULL)
        failed |= json_object_set_new(object, "baseline", json_string(finding->expected));
    if (finding->extra != NULL)
        failed |= json_object_update(object, finding->extra);
    if (failed == 0)
        return object;
    json_decref(object);
    return NULL;
}

int finding_write_line(FILE *out, const struct finding *finding)
{
    json_t *object = finding_to_json(finding);
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (text == NULL)
        return ENOMEM;
    fprintf(out, "%s\n", text);
    free(text);
    return fflush(out) == 0 ? 0 : errno;
}

/* ---- reading ---- */

static bool copy_text(const json_t *object, const char *key, char *ret_text, size_t capacity)
{
    const char *text = json_string_value(json_object_get(object, key));
    text_copy_printable(ret_text, capacity, text != NULL ? text : "");
    return text != NULL;
}

static json_t *copy_extra(const json_t *object)
{
    static const char *const own[] = {
        "subject", "check",     "site",     "clause", "verdict",
        "op",      "cycle",     "sentence", "output", "confirmed_by_program",
        "binding", "reproduced"};
    json_t *extra = json_copy((json_t *)(uintptr_t)object);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        json_object_del(extra, own[i]);
    return extra;
}

static enum subject_binding read_binding(const json_t *object)
{
    const char *name = json_string_value(json_object_get(object, "binding"));
    int binding = name != NULL ? subject_binding_find(name) : -1;
    return binding >= 0 ? (enum subject_binding)binding : BIND_AUTO;
}

bool finding_from_json(struct finding *ret_finding, const json_t *value)
{
    struct finding finding = {.op = VERDICT_NO_OP};
    const json_t *reproduced = json_object_get(value, "reproduced"),
                 *op = json_object_get(value, "op"),
                 *confirmed = json_object_get(value, "confirmed_by_program");
    if (!copy_text(value, "check", finding.check, sizeof finding.check) ||
        !copy_text(value, "site", finding.site, sizeof finding.site) ||
        !copy_text(value, "sentence", finding.sentence, sizeof finding.sentence))
        return false;
    copy_text(value, "subject", finding.subject, sizeof finding.subject);
    copy_text(value, "output", finding.output, sizeof finding.output);
    if (json_object_get(value, "clause") != NULL)
        copy_text(value, "verdict", finding.site, sizeof finding.site);
    if (json_is_integer(op))
        finding.op = (uint32_t)json_integer_value(op);
    finding.cycle = (uint32_t)json_integer_value(json_object_get(value, "cycle"));
    finding.reproduced = (unsigned)json_integer_value(json_object_get(reproduced, "times"));
    finding.attempts = (unsigned)json_integer_value(json_object_get(reproduced, "of"));
    if (json_is_boolean(confirmed))
        finding.confirmed = json_is_true(confirmed) ? CONFIRM_YES : CONFIRM_NO;
    finding.binding = read_binding(value);
    finding.extra = copy_extra(value);
    finding.program = json_string_value(json_object_get(finding.extra, "program"));
    finding.expected = json_string_value(json_object_get(finding.extra, "baseline"));
    finding.note = json_string_value(json_object_get(finding.extra, "note"));
    *ret_finding = finding;
    return true;
}

void finding_done(struct finding *finding)
{
    json_decref(finding->extra);
    *finding = (struct finding){0};
}

struct list {
    struct finding *findings;
    size_t count;
};

static struct finding *find_class(const struct list *list, const struct finding *finding)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->findings[i].check, finding->check) == 0 &&
            strcmp(list->findings[i].site, finding->site) == 0)
            return &list->findings[i];
    return NULL;
}

/* Takes over the finding. */
static void keep(struct list *list, struct finding *finding)
{
    struct finding *same = find_class(list, finding);
    if (same != NULL && finding->attempts > same->attempts) {
        finding_done(same);
        *same = *finding;
        return;
    }
    struct finding *grown =
        same != NULL ? NULL : realloc(list->findings, (list->count + 1) * sizeof *grown);
    if (grown == NULL) {
        finding_done(finding);
        return;
    }
    list->findings = grown;
    grown[list->count++] = *finding;
}

struct finding *finding_read_lines(FILE *file, size_t *ret_count)
{
    struct list list = {0};
    struct finding finding;
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, file) >= 0) {
        json_t *object = json_loads(line, 0, NULL);
        if (finding_from_json(&finding, object))
            keep(&list, &finding);
        json_decref(object);
    }
    free(line);
    *ret_count = list.count;
    return list.findings;
}

void finding_list_done(struct finding *findings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        finding_done(&findings[i]);
    free(findings);
}
