/* SPDX-License-Identifier: MIT */
/*
 * list: the allocators of the catalog that are installed here. Each is started once, to show how it
 * is bound, what it offers and how it decides what the standards leave open. One that cannot be
 * bound is listed with the reason.
 */
#include "harness/executor/executor.h"
#include "harness/subject/catalog.h"
#include "mallet/command.h"

static const char *choice_name(uint8_t choice)
{
    return choice == POLICY_NULL ? "NULL" : choice == POLICY_BLOCK ? "a block" : "not seen";
}

static void print_functions(const char *title, unsigned functions)
{
    if (functions == 0)
        return;
    printf("%s", title);
    for (unsigned i = 0; i < SUBJECT_CAPABILITY_END; i++)
        if (functions >> i & 1)
            printf(" %s", subject_call_name(i));
    printf("\n");
}

/* Functions of the family that are not there, and capabilities. */
static unsigned lacked(const struct executor_info *info)
{
    const unsigned family = (1u << SUBJECT_CALL_COUNT) - 1;
    const unsigned capabilities = (1u << SUBJECT_CAPABILITY_END) - (1u << SUBJECT_MORE_END);
    return ~info->subject.offers & (family | capabilities);
}

/* The open questions that the subject answered in one way. */
static void print_choices(const struct executor_info *info, const char *title, uint8_t choice)
{
    unsigned count = 0;
    for (unsigned i = 0; i < POLICY_COUNT; i++)
        if (info->policy.choice[i] == choice)
            printf("%s%s", count++ == 0 ? title : "; ", policy_text((enum policy_id)i));
    if (count > 0)
        printf("\n");
}

static void print_subject(const char *name, const char *spec, const struct executor_info *info)
{
    printf("%s (%s)\n  binding    %s\n", name, spec, subject_binding_name(info->subject.binding));
    print_functions("  functions ", info->subject.offers & ((1u << SUBJECT_CALL_COUNT) - 1));
    print_functions("  lacks     ", lacked(info));
    if (info->has_reset || info->has_check || info->has_footprint || info->has_fail_os)
        printf("  extras    %s%s%s%s\n", info->has_reset ? " reset" : "",
               info->has_check ? " walker" : "", info->has_footprint ? " footprint" : "",
               info->has_fail_os ? " fail-os" : "");
    if (info->capacity != 0)
        printf("  capacity   %llu bytes\n", (unsigned long long)info->capacity);
    print_choices(info, "  block for  ", POLICY_BLOCK);
    print_choices(info, "  NULL for   ", POLICY_NULL);
}

static json_t *describe_subject(const char *name, const char *spec,
                                const struct executor_info *info)
{
    json_t *functions = json_array(), *lacks = json_array(), *choices = json_object();
    for (unsigned i = 0; i < SUBJECT_CALL_COUNT; i++)
        if (info->subject.offers >> i & 1)
            json_array_append_new(functions, json_string(subject_call_name((enum subject_call)i)));
    for (unsigned i = 0; i < SUBJECT_CAPABILITY_END; i++)
        if (lacked(info) >> i & 1)
            json_array_append_new(lacks, json_string(subject_call_name(i)));
    for (unsigned i = 0; i < POLICY_COUNT; i++)
        json_object_set_new(choices, policy_text((enum policy_id)i),
                            json_string(choice_name(info->policy.choice[i])));
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:{s:b, s:b, s:b, s:b}, s:I, s:o}", "name", name,
                     "file", spec, "binding", subject_binding_name(info->subject.binding),
                     "functions", functions, "lacks", lacks, "extras", "reset", info->has_reset,
                     "walker", info->has_check, "footprint", info->has_footprint, "fail-os",
                     info->has_fail_os, "capacity", (json_int_t)info->capacity, "choices", choices);
}

static void list_subject(const char *name, const char *spec, json_t *list)
{
    struct executor *executor;
    char error[SUBJECT_ERROR_MAX];
    bool is_bound = executor_start(&executor, name, NULL, error) == 0;
    if (list != NULL)
        json_array_append_new(list, is_bound ? describe_subject(name, spec, executor_info(executor))
                                             : json_pack("{s:s, s:s, s:s}", "name", name, "file",
                                                         spec, "error", error));
    else if (is_bound)
        print_subject(name, spec, executor_info(executor));
    else
        printf("%s (%s)\n  %s\n", name, spec, error);
    if (is_bound)
        executor_stop(executor);
}

int command_list(int argc, char **argv)
{
    static const struct cli_spec spec = {.takes = CLI_JSON};
    static const struct argp argp = {
        .doc = "Print the allocators found on this machine: how each is bound, which functions it "
               "offers, and what it chooses where the standards leave a choice."};
    struct cli cli;
    cli_parse(&spec, &argp, argc, argv, &cli, NULL);
    json_t *list = cli.as_json ? json_array() : NULL;
    for (size_t i = 0; catalog_at(i) != NULL && !cli_is_interrupted(); i++) {
        struct subject_plan plan;
        char error[SUBJECT_ERROR_MAX];
        if (subject_resolve(&plan, catalog_at(i)->name, BIND_AUTO, SUBJECT_IN_PROCESS, error) == 0)
            list_subject(catalog_at(i)->name, plan.spec, list);
    }
    return cli.as_json ? cli_print_json(json_pack("{s:o}", "subjects", list)) : EXIT_CLEAN;
}
