/* SPDX-License-Identifier: MIT */
/* check.json: what the page says, for programs, and for the next check in the same folder. */
#include "mallet/check_page.h"

#include "harness/finding/finding_json.h"

#include <string.h>

static json_t *make_also(const struct check_causes *causes, size_t number)
{
    json_t *also = json_array();
    for (size_t i = 0; i < causes->finding_count; i++) {
        const struct check_finding *member = &causes->findings[i];
        if (member->cause == number)
            json_array_append_new(also,
                                  json_pack("{s:s, s:s, s:s, s:s}", "step", member->step, "check",
                                            member->finding.check, "site", member->finding.site,
                                            "sentence", member->finding.sentence));
    }
    return also;
}

static json_t *make_cause(const struct check_causes *causes, size_t number, const char *preload)
{
    const struct check_cause *cause = &causes->causes[number];
    struct finding lead = cause->lead;
    char gdb[CHECK_GDB_MAX];
    lead.extra = NULL;
    lead.program = cause->program[0] != '\0' ? cause->program : NULL;
    json_t *object = finding_to_json(&lead);
    if (object == NULL)
        return NULL;
    json_object_set_new(object, "step", json_string(cause->step));
    json_object_set_new(object, "severity", json_string(severity_name(cause->severity)));
    if (cause->trace[0] != '\0')
        json_object_set_new(object, "trace_file", json_string(cause->trace));
    if (cause->program[0] != '\0') {
        check_format_gdb(cause, preload, gdb, sizeof gdb);
        json_object_set_new(object, "gdb", json_string(gdb));
    }
    json_object_set_new(object, "also", make_also(causes, number));
    return object;
}

static json_t *make_causes(const struct check_causes *causes, size_t first, size_t end,
                           const char *preload)
{
    json_t *list = json_array();
    for (size_t i = first; i < end; i++)
        json_array_append_new(list, make_cause(causes, i, preload));
    return list;
}

static json_t *make_steps(const struct check_report *check)
{
    static const char *const states[] = {"done", "incomplete", "not begun", "not meant", "failed"};
    json_t *steps = json_array();
    for (size_t i = 0; i < check->line_count; i++) {
        const struct check_line *line = &check->lines[i];
        const char *left_out = line->step->left_out[check->request->level];
        json_t *step = json_pack(
            "{s:s, s:s, s:f, s:I, s:I, s:s, s:I, s:s, s:s}", "step", line->step->name, "result",
            states[line->state], "seconds", line->seconds, "done", (json_int_t)line->done,
            "minimum", (json_int_t)line->minimum, "unit", line->step->unit, "new",
            (json_int_t)line->fresh, "summary", line->summary, "why", line->sentence);
        if (left_out != NULL)
            json_object_set_new(step, "left_out", json_string(left_out));
        json_array_append_new(steps, step);
    }
    return steps;
}

json_t *check_make_json(const struct check_report *check)
{
    const struct check_causes *causes = &check->causes;
    size_t count = causes->cause_count - causes->note_count;
    json_t *document = json_pack(
        "{s:s, s:s, s:f, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:b, s:s, s:i}", "subject",
        check->subject, "level", check_level_name(check->request->level), "seconds", check->seconds,
        "findings", make_causes(causes, 0, count, check->preload), "notes",
        make_causes(causes, count, causes->cause_count, check->preload), "steps", make_steps(check),
        "earlier", check_earlier_json(check->folder.earlier, check->folder.earlier_count), "new",
        (json_int_t)count, "expected", (json_int_t)causes->expected, "stale",
        (json_int_t)check->stale, "complete", (int)check_is_complete(check), "output",
        check->request->output, "status", check->status);
    json_t *against = check_against_json(&check->against, causes);
    if (document != NULL && against != NULL)
        json_object_set_new(document, "against", against);
    if (document != NULL && cli_is_interrupted())
        json_object_set_new(document, "interrupted", json_true());
    return cli_begin_document(document);
}
