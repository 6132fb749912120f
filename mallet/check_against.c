/* SPDX-License-Identifier: MIT */
#include "mallet/check_against.h"

#include "harness/finding/finding_json.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* ---- OLD ---- */

/* Words of `mallet check OLD`, with the options of this check. */
static void fill_words(const struct check_against *against, const struct check_request *request,
                       const char *output, char numbers[3][32], const char *ret_words[24])
{
    const struct cli *cli = &request->cli;
    size_t count = 0;
    snprintf(numbers[0], 32, "%u", cli->jobs);
    snprintf(numbers[1], 32, "%us", cli->limit);
    snprintf(numbers[2], 32, "%llu", (unsigned long long)cli->capacity);
    const char *const options[][2] = {
        {"--output", output},
        {"--corpus", request->corpus},
        {"--jobs", cli->jobs > 0 ? numbers[0] : NULL},
        {"--limit", cli->limit > 0 ? numbers[1] : NULL},
        {"--capacity", cli->has_capacity ? numbers[2] : NULL},
    };
    ret_words[count++] = "/proc/self/exe";
    ret_words[count++] = "check";
    ret_words[count++] = "--json";
    if (request->level != LEVEL_DEFAULT)
        ret_words[count++] = request->level == LEVEL_QUICK ? "--quick" : "--thorough";
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (options[i][1] == NULL)
            continue;
        ret_words[count++] = options[i][0];
        ret_words[count++] = options[i][1];
    }
    ret_words[count++] = against->old;
    ret_words[count] = NULL;
}

int check_against_run(struct check_against *against, const struct check_request *request)
{
    char output[PATH_MAX], path[PATH_MAX], numbers[3][32], line[256] = "";
    const char *words[24];
    struct process process;
    snprintf(output, sizeof output, "%.3000s/against", request->output);
    snprintf(path, sizeof path, "%.3100s/check.json", output);
    fill_words(against, request, output, numbers, words);
    const struct process_plan plan = {.program = words[0],
                                      .arguments = words,
                                      .keeps_environment = true,
                                      .output = PROCESS_OUTPUT_LINE,
                                      .is_cancelled = cli_is_interrupted};
    if (process_run(&plan, &process) != 0)
        return report_internal_error("the check of %s cannot be started", against->old);
    process_take_line(&process, line, sizeof line);
    int status = WIFEXITED(process.status) ? WEXITSTATUS(process.status) : EXIT_INTERNAL;
    if (cli_is_interrupted())
        return EXIT_INTERRUPTED;
    if (status != EXIT_CLEAN && status != EXIT_FINDINGS && status != EXIT_INCOMPLETE)
        return refuse("--against: %s",
                      strncmp(line, "mallet: ", 8) == 0 ? line + 8 : "the check of OLD failed");
    against->document = json_load_file(path, 0, NULL);
    return against->document != NULL ? EXIT_CLEAN
                                     : report_internal_error("%s cannot be read", path);
}

/* ---- the comparison ---- */

static bool is_class(const json_t *object, const struct finding *finding)
{
    const char *check = json_string_value(json_object_get(object, "check"));
    const char *site = json_string_value(json_object_get(object, "site"));
    return check != NULL && site != NULL && strcmp(check, finding->check) == 0 &&
           strcmp(site, finding->site) == 0;
}

/* Whether OLD's finding, or one with the same cause, is of this class. */
static bool has_class(const json_t *old, const struct finding *finding)
{
    size_t i;
    const json_t *member;
    json_array_foreach(json_object_get(old, "also"), i, member)
    {
        if (is_class(member, finding))
            return true;
    }
    return is_class(old, finding);
}

static bool had_class(const struct check_against *against, const struct finding *finding)
{
    static const char *const lists[] = {"findings", "notes"};
    size_t i;
    const json_t *old;
    for (size_t list = 0; list < 2; list++)
        json_array_foreach(json_object_get(against->document, lists[list]), i, old)
        {
            if (has_class(old, finding))
                return true;
        }
    return false;
}

bool check_against_is_new(const struct check_against *against, const struct check_causes *causes,
                          size_t cause)
{
    for (size_t i = 0; i < causes->finding_count; i++)
        if (causes->findings[i].cause == cause && had_class(against, &causes->findings[i].finding))
            return false;
    return !had_class(against, &causes->causes[cause].lead);
}

size_t check_against_count_new(const struct check_against *against,
                               const struct check_causes *causes)
{
    size_t fresh = 0;
    for (size_t i = 0; i < causes->cause_count - causes->note_count; i++)
        fresh += check_against_is_new(against, causes, i);
    return fresh;
}

static bool is_found(const struct check_causes *causes, const json_t *old)
{
    for (size_t i = 0; i < causes->finding_count; i++)
        if (has_class(old, &causes->findings[i].finding))
            return true;
    return false;
}

void check_against_compare(struct check_against *against, const struct check_causes *causes,
                           double until)
{
    const json_t *findings = json_object_get(against->document, "findings"), *old;
    size_t i;
    against->missing = calloc(json_array_size(findings) + 1, sizeof *against->missing);
    json_array_foreach(findings, i, old)
    {
        struct finding finding;
        if (against->missing == NULL || is_found(causes, old) || !finding_from_json(&finding, old))
            continue;
        check_earlier_try(&against->missing[against->missing_count++], causes, &finding, until);
        finding_done(&finding);
    }
}

/* ---- the report ---- */

static size_t count_missing(const struct check_against *against, enum earlier_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < against->missing_count; i++)
        count += against->missing[i].state == state;
    return count;
}

void check_against_print(const struct check_against *against, const struct check_causes *causes)
{
    size_t count = causes->cause_count - causes->note_count;
    size_t fresh = check_against_count_new(against, causes);
    printf("\nAgainst %s: %zu new, %zu unchanged, %zu gone. The exit status is for what is new.\n",
           against->old, fresh, count - fresh + count_missing(against, EARLIER_THERE),
           count_missing(against, EARLIER_GONE));
    for (size_t i = 0; i < count; i++)
        printf("   %-16s %s in %s (%zu.)\n",
               check_against_is_new(against, causes, i) ? "new" : "unchanged",
               causes->causes[i].lead.check, causes->causes[i].lead.site, i + 1);
    check_earlier_print(against->missing, against->missing_count);
}

json_t *check_against_json(const struct check_against *against, const struct check_causes *causes)
{
    json_t *list = json_array();
    size_t count = causes->cause_count - causes->note_count;
    if (against->old == NULL) {
        json_decref(list);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            list, json_string(check_against_is_new(against, causes, i) ? "new" : "unchanged"));
    return json_pack("{s:s, s:o, s:o}", "subject", against->old, "findings", list, "missing",
                     check_earlier_json(against->missing, against->missing_count));
}

void check_against_done(struct check_against *against)
{
    json_decref(against->document);
    free(against->missing);
}
