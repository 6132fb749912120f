/* SPDX-License-Identifier: MIT */
/*
 * SARIF 2.1.0 for code scanning: a rule for each clause, a result for each failure. There is no
 * source to point into: a result's place is its clause in the registry, and logically the subject.
 * Neither its fingerprint nor its message changes from run to run, so that it stays the same
 * result: addresses are left out. A failure that the baseline expects is suppressed.
 */
#include "conformance/report_formats.h"

#include "harness/cli/cli.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA "https://json.schemastore.org/sarif-2.1.0.json"

static json_t *describe_rule(const struct clause *clause)
{
    char profiles[PROFILES_TEXT_MAX];
    const char *why = clause->why[0] != '\0' ? clause->why : clause->requirement;
    return json_pack("{s:s, s:{s:s}, s:{s:s}, s:{s:s, s:s, s:s}}", "id", clause->id,
                     "shortDescription", "text", clause->requirement, "help", "text", why,
                     "properties", "strength", strength_name(clause->strength), "profiles",
                     profiles_text(clause->profiles, profiles), "functions", clause->functions);
}

/* The position of each clause's rule goes to ret_index, which has room for all clauses. */
static json_t *describe_rules(const struct conform_report *report, size_t *ret_index)
{
    json_t *rules = json_array();
    for (size_t i = 0; i < clauses_count(); i++) {
        ret_index[i] = json_array_size(rules);
        if (report_has_clause(report, clauses_at(i)))
            json_array_append_new(rules, describe_rule(clauses_at(i)));
    }
    return rules;
}

enum { DIGITS_OF_ADDRESS = 6, MESSAGE_MAX = 1024 };

/* Copies a sentence with `0x...` in the place of each address. */
static void leave_addresses_out(char ret_text[MESSAGE_MAX], const char *text)
{
    size_t length = 0;
    while (*text != '\0' && length + 6 < MESSAGE_MAX) {
        size_t digits = 0;
        while (strncmp(text, "0x", 2) == 0 && isxdigit((unsigned char)text[2 + digits]))
            digits++;
        if (digits >= DIGITS_OF_ADDRESS) {
            memcpy(ret_text + length, "0x...", 5);
            length += 5;
            text += 2 + digits;
        } else
            ret_text[length++] = *text++;
    }
    ret_text[length] = '\0';
}

/* The clause's line in the registry, whose first line names the columns. */
static json_t *describe_place(const struct report_column *column, const struct clause *clause)
{
    return json_pack("{s:{s:{s:s}, s:{s:I}}, s:[{s:s, s:s}]}", "physicalLocation",
                     "artifactLocation", "uri", "conformance/clauses.tsv", "region", "startLine",
                     (json_int_t)(clause - clauses_at(0)) + 2, "logicalLocations", "name",
                     column->name, "kind", "module");
}

static json_t *describe_result(const struct report_column *column,
                               const struct clause_result *result, size_t rule)
{
    char profiles[PROFILES_TEXT_MAX];
    const char *excuse = report_excuse(column, result);
    char message[MESSAGE_MAX];
    leave_addresses_out(message, result->evidence[0] != '\0' ? result->evidence
                                                             : result->clause->requirement);
    json_t *object = json_pack("{s:s, s:I, s:s, s:{s:s}, s:[o], s:{s:s+++}, s:{s:s, s:s}}",
                               "ruleId", result->clause->id, "ruleIndex", (json_int_t)rule, "level",
                               report_is_bad(result) ? "error" : "warning", "message", "text",
                               message, "locations", describe_place(column, result->clause),
                               "partialFingerprints", "malletClause/v1", column->name, " ",
                               result->clause->id, result->verdict == CLAUSE_WEAK ? " weak" : "",
                               "properties", "verdict", clause_verdict_name(result->verdict),
                               "profiles", profiles_text(result->profiles, profiles));
    if (object != NULL && excuse != NULL)
        json_object_set_new(object, "suppressions",
                            json_pack("[{s:s, s:s}]", "kind", "external", "justification", excuse));
    return object;
}

static json_t *describe_results(const struct conform_report *report, const size_t *index)
{
    json_t *results = json_array();
    for (size_t i = 0; i < report->count; i++)
        for (size_t j = 0; j < report->columns[i].results.count; j++) {
            const struct clause_result *result = &report->columns[i].results.results[j];
            if (report_is_bad(result) || result->verdict == CLAUSE_WEAK)
                json_array_append_new(results,
                                      describe_result(&report->columns[i], result,
                                                      index[result->clause - clauses_at(0)]));
        }
    return results;
}

int report_write_sarif(FILE *out, const struct conform_report *report)
{
    size_t *index = calloc(clauses_count(), sizeof *index);
    if (index == NULL)
        return ENOMEM;
    json_t *rules = describe_rules(report, index), *results = describe_results(report, index);
    free(index);
    const char *version = strrchr(argp_program_version, ' ');
    json_t *document =
        json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:o}]}", "$schema", SCHEMA, "version",
                  "2.1.0", "runs", "tool", "driver", "name", "mallet conform", "version",
                  version != NULL ? version + 1 : "0", "rules", rules, "results", results);
    return cli_write_json(document, out);
}
