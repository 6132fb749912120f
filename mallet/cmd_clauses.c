/* SPDX-License-Identifier: MIT */
/*
 * clauses: print the registry of clauses as a list, or explain one clause: what it requires, why it
 * matters, how it is tested and which probe does it.
 */
#include "conformance/gate.h"
#include "mallet/command.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_PROFILE = 'p', KEY_UNTESTABLE = 'u' };

struct request {
    struct cli cli;
    char **words; /* ids and patterns; none: all */
    size_t word_count;
    unsigned profiles;
    bool is_untestable;
};

/* Marks in the texts of a clause. */
static const struct {
    const char *mark, *meaning;
} marks[] = {
    {"[derived]", "follows from the norm, but is not its literal text"},
    {"[verify-text]", "taken second-hand: look the norm up before relying on the words"},
};
enum { MARK_COUNT = sizeof marks / sizeof marks[0] };

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case KEY_PROFILE:
        request->profiles |= 1u << cli_parse_choice("--profile", value, profile_name);
        return 0;
    case KEY_UNTESTABLE:
        request->is_untestable = true;
        return 0;
    case ARGP_KEY_ARG:
        request->words[request->word_count++] = value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool is_selected(const struct request *request, const struct clause *clause)
{
    bool is_named = request->word_count == 0;
    for (size_t i = 0; i < request->word_count; i++)
        is_named |= fnmatch(request->words[i], clause->id, 0) == 0;
    bool is_of_profile = request->profiles == 0 || (request->profiles & clause->profiles) != 0;
    return is_named && is_of_profile && (!request->is_untestable || clause->untestable[0] != '\0');
}

/* Every word must match a clause; one that matches none is most likely a typing error. */
static int check_words(const struct request *request)
{
    for (size_t i = 0; i < request->word_count; i++) {
        size_t clause = 0;
        while (clause < clauses_count() &&
               fnmatch(request->words[i], clauses_at(clause)->id, 0) != 0)
            clause++;
        if (clause == clauses_count())
            return refuse("no clause is called `%s`; `mallet clauses` lists them",
                          request->words[i]);
    }
    return EXIT_CLEAN;
}

static void print_field(const char *name, const char *text)
{
    if (text[0] != '\0')
        printf("  %-10s %s\n", name, text);
}

static bool has_mark(const struct clause *clause, const char *mark)
{
    return strstr(clause->requirement, mark) != NULL || strstr(clause->test, mark) != NULL ||
           strstr(clause->why, mark) != NULL || strstr(clause->known, mark) != NULL;
}

static void explain(const struct clause *clause)
{
    char profiles[PROFILES_TEXT_MAX];
    const struct probe *probe = probes_find(clause->id);
    printf("%s\n  %-10s %s (%s)\n", clause->id, "strength", strength_name(clause->strength),
           strength_meaning(clause->strength));
    print_field("profiles", profiles_text(clause->profiles, profiles));
    print_field("functions", clause->functions);
    print_field("what", clause->requirement);
    print_field("why", clause->why);
    print_field("how", clause->test);
    print_field("needs", clause->needs);
    if (clause->strict != 0)
        print_field("strict in", profiles_text(clause->strict, profiles));
    if (probe != NULL)
        printf("  %-10s %s in conformance/probes/%s\n", "probe", probe->job.name,
               strrchr(probe->file, '/') != NULL ? strrchr(probe->file, '/') + 1 : probe->file);
    else
        print_field("no probe",
                    clause->untestable[0] != '\0' ? clause->untestable : "not written yet");
    print_field("broken by", clause->known);
    for (size_t i = 0; i < MARK_COUNT; i++)
        if (has_mark(clause, marks[i].mark))
            printf("  %-10s %s %s\n", "mark", marks[i].mark, marks[i].meaning);
    printf("\nThe words are this registry's, not a standard's.\n");
}

static void print_row(const struct request *request, const struct clause *clause)
{
    char profiles[PROFILES_TEXT_MAX];
    printf("%-26s %-12s %-35s %s\n    %s\n", clause->id, strength_name(clause->strength),
           profiles_text(clause->profiles, profiles), clause->functions, clause->requirement);
    if (request->is_untestable)
        printf("    untestable: %s\n", clause->untestable);
}

static json_t *describe(const struct clause *clause)
{
    char profiles[PROFILES_TEXT_MAX], strict[PROFILES_TEXT_MAX];
    const struct probe *probe = probes_find(clause->id);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "clause",
                     clause->id, "profile", profiles_text(clause->profiles, profiles), "strength",
                     strength_name(clause->strength), "functions", clause->functions, "requirement",
                     clause->requirement, "why", clause->why, "test", clause->test, "needs",
                     clause->needs, "strict", profiles_text(clause->strict, strict), "known",
                     clause->known, "probe", probe != NULL ? probe->job.name : "", "untestable",
                     clause->untestable);
}

static int print_json(const struct request *request)
{
    json_t *list = json_array();
    for (size_t i = 0; i < clauses_count(); i++)
        if (is_selected(request, clauses_at(i)))
            json_array_append_new(list, describe(clauses_at(i)));
    return cli_print_json(json_pack("{s:o}", "clauses", list));
}

/* The id of one clause, alone, explains that clause; any other request prints a list. */
static int print_request(const struct request *request)
{
    int status = check_words(request);
    size_t count = 0;
    const struct clause *only = request->word_count == 1 ? clauses_find(request->words[0]) : NULL;
    if (status != EXIT_CLEAN)
        return status;
    for (size_t i = 0; i < clauses_count(); i++)
        count += is_selected(request, clauses_at(i));
    if (count == 0)
        return refuse("no clause fits the request: its options and patterns exclude each other");
    if (request->cli.as_json)
        return print_json(request);
    if (only != NULL) {
        explain(only);
        return EXIT_CLEAN;
    }
    for (size_t i = 0; i < clauses_count(); i++)
        if (is_selected(request, clauses_at(i)))
            print_row(request, clauses_at(i));
    printf("%zu of %zu clauses\n", count, clauses_count());
    return EXIT_CLEAN;
}

int command_clauses(int argc, char **argv)
{
    static const struct cli_spec spec = {.takes = CLI_JSON};
    static const struct argp_option options[] = {
        {"profile", KEY_PROFILE, "PROFILE", 0,
         "Show only clauses of c17, c23, posix-2017, posix-2024, glibc or hardening; may be "
         "repeated",
         0},
        {"untestable", KEY_UNTESTABLE, NULL, 0,
         "Show only clauses that no run-time probe can test, with the reason", 0},
        {0}};
    static const struct argp argp = {.options = options,
                                     .parser = parse_option,
                                     .args_doc = "[ID|PATTERN…]",
                                     .doc = "List the numbered requirements of C, POSIX and glibc "
                                            "for the malloc family. With one ID, explain what it "
                                            "requires, why it matters and how it is tested."};
    struct request request = {.words = calloc((size_t)argc + 1, sizeof *request.words)};
    if (request.words == NULL)
        return report_internal_error("no memory for the arguments");
    cli_parse(&spec, &argp, argc, argv, &request.cli, &request);
    clauses_load();
    int status = print_request(&request);
    free(request.words);
    return status;
}
