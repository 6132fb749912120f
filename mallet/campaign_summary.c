/* SPDX-License-Identifier: MIT */
/* summary.json: what a campaign came to, for programs, and for the next campaign in the same
 * folder; and the same for people. */
#include "mallet/campaign_internal.h"

#include "harness/base/text.h"
#include "harness/finding/finding_json.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- JSON ---- */

/* Adds the path of a finding's file, where it has that one. */
static void add_path(json_t *json, const char *key, const struct campaign *campaign,
                     const char *name, const char *file)
{
    char path[CAMPAIGN_PATH_MAX];
    campaign_path(path, "%s/findings/%s/%s", campaign->output, name, file);
    if (access(path, F_OK) == 0)
        json_object_set_new(json, key, json_string(path));
}

static json_t *finding_json(const struct campaign *campaign, const struct campaign_finding *entry)
{
    json_t *json = finding_to_json(&entry->finding);
    json_object_set_new(json, "name", json_string(entry->name));
    json_object_set_new(json, "ops", json_integer((json_int_t)entry->ops));
    json_object_set_new(json, "earlier", json_boolean(entry->is_earlier));
    json_object_set_new(json, "expected", json_boolean(entry->finding.expected != NULL));
    add_path(json, "trace", campaign, entry->name, "trace.trace");
    add_path(json, "program", campaign, entry->name, "program.c");
    return json;
}

static json_t *summary_json(const struct campaign *campaign)
{
    const struct campaign_status *status = &campaign->status;
    json_t *findings = json_array();
    for (size_t i = 0; i < campaign->count; i++)
        json_array_append_new(findings, finding_json(campaign, &campaign->findings[i]));
    json_t *document =
        json_pack("{s:s, s:s, s:f, s:b, s:I, s:i, s:i, s:i, s:i, s:I, s:o}", "subject",
                  campaign->subject_name, "engine",
                  campaign->options->engine == ENGINE_AFL ? "afl" : "libfuzzer", "seconds",
                  (double)campaign->engine_ms / 1000, "interrupted", (int)campaign->is_interrupted,
                  "executions", (json_int_t)status->executions, "corpus", (int)status->corpus,
                  "coverage", (int)status->coverage, "features", (int)status->features,
                  "unexplained_crashes", (int)campaign->unexplained, "untriaged",
                  (json_int_t)campaign->untriaged, "findings", findings);
    const struct cli_work work = campaign_work(campaign);
    json_object_set_new(document, "done", json_integer((json_int_t)work.done));
    json_object_set_new(document, "minimum", json_integer((json_int_t)work.minimum));
    return cli_begin_document(document);
}

int campaign_save_summary(const struct campaign *campaign, char error[CAMPAIGN_ERROR_MAX])
{
    char path[CAMPAIGN_PATH_MAX], beside[CAMPAIGN_PATH_MAX];
    json_t *summary = summary_json(campaign);
    campaign_path(path, "%s/summary.json", campaign->output);
    campaign_path(beside, "%s/.summary.json", campaign->output);
    char *text = json_dumps(summary, JSON_INDENT(2));
    int result = text == NULL ? ENOMEM : campaign_write_file(beside, text, strlen(text));
    if (result == 0 && rename(beside, path) != 0)
        result = errno;
    if (result != 0)
        snprintf(error, CAMPAIGN_ERROR_MAX, "cannot write %.300s: %s", path, strerror(result));
    free(text);
    json_decref(summary);
    return result;
}

static void load_finding(struct campaign *campaign, json_t *json)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    char path[CAMPAIGN_PATH_MAX];
    struct campaign_finding entry = {.is_earlier = true};
    if (name == NULL || strchr(name, '/') != NULL || !finding_from_json(&entry.finding, json))
        return;
    json_decref(entry.finding.extra);
    entry.finding.extra = NULL;
    entry.finding.program = NULL;
    entry.finding.note = NULL; /* is found again of the numbers */
    snprintf(entry.finding.subject, sizeof entry.finding.subject, "%s", campaign->subject_name);
    (void)cli_findings_add(campaign->options->findings, &entry.finding);
    entry.ops = (size_t)json_integer_value(json_object_get(json, "ops"));
    snprintf(entry.name, sizeof entry.name, "%s", name);
    campaign_path(path, "%s/findings/%s", campaign->output, name);
    if (access(path, F_OK) == 0 && !finding_is_clause(&entry.finding) &&
        campaign->count < CAMPAIGN_FINDINGS_MAX)
        campaign->findings[campaign->count++] = entry;
}

void campaign_load_summary(struct campaign *campaign)
{
    char path[CAMPAIGN_PATH_MAX];
    size_t index;
    json_t *finding;
    campaign_path(path, "%s/summary.json", campaign->output);
    json_t *summary = json_load_file(path, 0, NULL);
    json_array_foreach(json_object_get(summary, "findings"), index, finding)
        load_finding(campaign, finding);
    json_decref(summary);
}

/* ---- for people ---- */

static void print_finding(const struct campaign *campaign, const struct campaign_finding *found)
{
    const struct finding *finding = &found->finding;
    const char *note = finding_note(finding);
    printf("  %s at %s: %s\n", finding->check, finding->site, finding->sentence);
    printf("      %zu op%s, reproduced %u of %u%s%s%s%s%s\n", found->ops, text_plural(found->ops),
           finding->reproduced, finding->attempts,
           finding->confirmed == CONFIRM_YES ? "; program.c shows it too" : "",
           note != NULL ? "; a note: " : "", note != NULL ? note : "",
           found->is_earlier ? "; found earlier" : "",
           finding->expected != NULL ? "; expected" : "");
    printf("      %s/findings/%s\n", campaign->output, found->name);
}

void campaign_print_summary(const struct campaign *campaign)
{
    if (campaign->options->is_json) {
        (void)cli_print_json(summary_json(campaign));
        return;
    }
    printf("%s: %zu finding%s in %.1f s%s, %llu runs, corpus %u, coverage %u, behaviour %u\n",
           campaign->subject_name, campaign->count, campaign->count == 1 ? "" : "s",
           (double)campaign->engine_ms / 1000, campaign->is_interrupted ? " (interrupted)" : "",
           (unsigned long long)campaign->status.executions, campaign->status.corpus,
           campaign->status.coverage, campaign->status.features);
    for (size_t i = 0; i < campaign->count; i++)
        print_finding(campaign, &campaign->findings[i]);
    if (campaign->untriaged > 0)
        printf("  %zu more not triaged yet: their traces are in %s/raw, and the next run in this "
               "folder begins with them\n",
               campaign->untriaged, campaign->output);
    const struct cli_work work = campaign_work(campaign);
    if (work.done < work.minimum)
        printf("  incomplete: %llu runs of at least %llu\n", (unsigned long long)work.done,
               (unsigned long long)work.minimum);
    if (campaign->unexplained > 0)
        printf("  %u input%s on which the target died did not do so again: see artifacts\n",
               campaign->unexplained, campaign->unexplained == 1 ? "" : "s");
}
