/* SPDX-License-Identifier: MIT */
/* JSON: the results as flat objects. mallet/json.md is the contract. */
#include "conformance/report_formats.h"

#include "harness/cli/cli.h"

static json_t *describe_result(const struct report_column *column,
                               const struct clause_result *result)
{
    char profiles[PROFILES_TEXT_MAX];
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "subject", column->name, "clause",
                  result->clause->id, "profile", profiles_text(result->profiles, profiles),
                  "strength", strength_name(result->clause->strength), "verdict",
                  clause_verdict_name(result->verdict), "evidence", result->evidence);
    const char *known = column->known[result - column->results.results];
    if (object != NULL && report_is_bad(result))
        json_object_set_new(object, "counts", json_boolean(result->counts));
    if (object != NULL && known != NULL)
        json_object_set_new(object, "baseline", json_string(known));
    return object;
}

static json_t *describe_counts(const struct report_column *column, enum profile profile)
{
    size_t counts[CLAUSE_VERDICT_COUNT];
    report_count_verdicts(column, 1u << profile, counts);
    json_t *object =
        json_pack("{s:s, s:s}", "subject", column->name, "profile", profile_name(profile));
    for (unsigned i = 0; i < CLAUSE_VERDICT_COUNT; i++)
        json_object_set_new(object, clause_verdict_name((enum clause_verdict)i),
                            json_integer((json_int_t)counts[i]));
    return object;
}

int report_write_json(FILE *out, const struct conform_report *report)
{
    json_t *results = json_array(), *profiles = json_array();
    struct report_totals totals = report_count_totals(report);
    for (size_t i = 0; i < report->count; i++) {
        const struct report_column *column = &report->columns[i];
        for (size_t j = 0; j < column->results.count; j++)
            json_array_append_new(results, describe_result(column, &column->results.results[j]));
        for (unsigned profile = 0; profile < PROFILE_COUNT; profile++)
            if (report->profiles >> profile & 1)
                json_array_append_new(profiles, describe_counts(column, (enum profile)profile));
    }
    json_t *document =
        json_pack("{s:o, s:I, s:I, s:b, s:{s:I, s:I, s:I, s:I, s:o}}", "results", results, "done",
                  (json_int_t)report->run, "minimum", (json_int_t)report->minimum, "interrupted",
                  report->is_interrupted, "counts", "clauses", (json_int_t)totals.clauses,
                  "testable", (json_int_t)totals.testable, "tested", (json_int_t)totals.tested,
                  "untestable", (json_int_t)totals.untestable, "profiles", profiles);
    return cli_write_json(cli_begin_document(document), out);
}
