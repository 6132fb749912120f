/* SPDX-License-Identifier: MIT */
/*
 *     OUTPUT/build      the content of the subject, as 16 digits
 *     OUTPUT/check.json what the last check came to
 */
#include "mallet/check_folder.h"

#include "harness/cli/output.h"
#include "harness/finding/finding_json.h"
#include "harness/program/confirm.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- builds ---- */

/* FNV-1a: builds are to be told apart, not to be protected. */
void check_build_id(const char *path, char ret_id[17])
{
    FILE *file = fopen(path, "re");
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    unsigned char bytes[4096];
    size_t length;
    ret_id[0] = '\0';
    if (file == NULL)
        return;
    while ((length = fread(bytes, 1, sizeof bytes, file)) > 0)
        for (size_t i = 0; i < length; i++)
            hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    fclose(file);
    snprintf(ret_id, 17, "%016llx", (unsigned long long)hash);
}

static void read_id(const char *path, char ret_id[17])
{
    FILE *file = fopen(path, "re");
    ret_id[0] = '\0';
    if (file == NULL)
        return;
    if (fscanf(file, "%16s", ret_id) != 1)
        ret_id[0] = '\0';
    fclose(file);
}

static void write_id(const char *path, const char *id)
{
    struct output output;
    char error[OUTPUT_ERROR_MAX];
    if (output_open(&output, path, error) != 0)
        return;
    fprintf(output.file, "%s\n", id);
    (void)output_close(&output, error);
}

/* ---- what the campaign of another build found ---- */

static void remove_campaign(const char *output)
{
    static const char *const parts[] = {"raw", "artifacts", "findings", "afl", "summary.json"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        snprintf(path, sizeof path, "%.3000s/fuzz/%s", output, parts[i]);
        output_remove(path);
    }
}

/* ---- earlier findings ---- */

static enum earlier_state try_again(const struct check_causes *causes,
                                    const struct finding *finding, double until)
{
    bool is_race = strncmp(finding->site, "torture/", 8) == 0;
    const struct confirm_request request = {
        .subject = causes->request->subject,
        .source = finding->program,
        .is_hang = check_find(finding->check) == CHECK_PROGRESS,
        .touch_ms = trace_touch_ms(&finding->trace, finding->trace.count),
        .runs = is_race ? 3 : 0,
        .is_cancelled = cli_is_interrupted};
    if (finding->program == NULL || finding->program[0] == '\0' || check_now() >= until)
        return EARLIER_UNKNOWN;
    switch (confirm_by_program(&request)) {
    case CONFIRM_YES:
        return EARLIER_THERE;
    case CONFIRM_NO:
        return is_race ? EARLIER_UNKNOWN : EARLIER_GONE;
    default:
        return EARLIER_UNKNOWN;
    }
}

void check_earlier_try(struct check_earlier *ret_earlier, const struct check_causes *causes,
                       const struct finding *finding, double until)
{
    memcpy(ret_earlier->check, finding->check, sizeof ret_earlier->check);
    memcpy(ret_earlier->site, finding->site, sizeof ret_earlier->site);
    memcpy(ret_earlier->sentence, finding->sentence, sizeof ret_earlier->sentence);
    ret_earlier->state = try_again(causes, finding, until);
}

void check_earlier_print(const struct check_earlier *earlier, size_t count)
{
    static const char *const words[] = {"gone", "still there", "not tried again"};
    for (size_t i = 0; i < count; i++)
        printf("   %-16s %s in %s: %.60s\n", words[earlier[i].state], earlier[i].check,
               earlier[i].site, earlier[i].sentence);
}

json_t *check_earlier_json(const struct check_earlier *earlier, size_t count)
{
    static const char *const states[] = {"gone", "still there", "not tried"};
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:s}", "check", earlier[i].check, "site",
                                        earlier[i].site, "sentence", earlier[i].sentence, "state",
                                        states[earlier[i].state]));
    return list;
}

/* What still shows is a finding of this build, with the program's word for it. Those of another
 * subject, which had the folder before, say nothing of this one. */
static void take_earlier(struct check_folder *folder, struct check_causes *causes,
                         const json_t *object, double until)
{
    struct finding finding;
    if (!finding_from_json(&finding, object))
        return;
    if (strcmp(finding.subject, causes->subject) != 0) {
        finding_done(&finding);
        return;
    }
    struct check_earlier *earlier = &folder->earlier[folder->earlier_count++];
    check_earlier_try(earlier, causes, &finding, until);
    finding.reproduced = finding.attempts = 0;
    finding.confirmed = CONFIRM_YES;
    finding.note = NULL;
    finding.expected = cli_findings_expect(causes->log, &finding);
    if (earlier->state == EARLIER_THERE && finding.expected == NULL)
        check_causes_add(causes, "earlier", &finding);
    else
        finding_done(&finding);
}

void check_folder_open(struct check_folder *ret_folder, struct check_causes *causes,
                       const char *subject_file, double until)
{
    const char *output = causes->request->output;
    char path[PATH_MAX], now[17], before[17];
    size_t i;
    json_t *object;
    *ret_folder = (struct check_folder){0};
    snprintf(path, sizeof path, "%.3000s/build", output);
    check_build_id(subject_file, now);
    read_id(path, before);
    if (strcmp(now, before) == 0)
        return;
    ret_folder->is_other_build = before[0] != '\0';
    write_id(path, now);
    remove_campaign(output);
    snprintf(path, sizeof path, "%.3000s/check.json", output);
    json_t *document = json_load_file(path, 0, NULL);
    const json_t *findings = json_object_get(document, "findings");
    ret_folder->earlier = calloc(json_array_size(findings) + 1, sizeof *ret_folder->earlier);
    json_array_foreach(findings, i, object)
    {
        if (ret_folder->earlier != NULL && ret_folder->is_other_build)
            take_earlier(ret_folder, causes, object, until);
    }
    json_decref(document);
    unlink(path); /* if this check is killed, the next one must not take it for its own */
}

void check_folder_settle(struct check_folder *folder, const struct check_causes *causes)
{
    for (size_t i = 0; i < folder->earlier_count; i++)
        for (size_t j = 0; j < causes->finding_count; j++) {
            const struct finding *finding = &causes->findings[j].finding;
            if (folder->earlier[i].state == EARLIER_UNKNOWN &&
                strcmp(finding->check, folder->earlier[i].check) == 0 &&
                strcmp(finding->site, folder->earlier[i].site) == 0)
                folder->earlier[i].state = EARLIER_THERE;
        }
}

void check_folder_done(struct check_folder *folder)
{
    free(folder->earlier);
}
