/* SPDX-License-Identifier: MIT */
/*
 * diff: run one trace on several allocators and print what a caller sees of each, side by side:
 * NULL or a block, errno, findings; never addresses. diff.h decides which differences count; the
 * table and the JSON document are made here.
 */
#include "harness/executor/executor.h"
#include "harness/finding/finding_json.h"
#include "mallet/command.h"
#include "mallet/diff.h"
#include "mallet/report.h"
#include "mallet/trace_file.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROWS_MAX = 200, /* of a longer trace, only the ops that differ are shown */
    COLUMN = 18
};

struct request {
    struct cli cli;
    const char *file;
};

struct table {
    const struct request *request;
    const struct trace *trace;
    struct observation observations[CLI_SUBJECTS_MAX];
    enum difference *differences; /* one for each op */
    bool differ;
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        if (request->file != NULL)
            return ARGP_ERR_UNKNOWN;
        request->file = value;
        return 0;
    case ARGP_KEY_END:
        if (request->cli.subject_count < 2)
            argp_error(state, "%s is missing",
                       request->file == NULL ? "FILE" : "a SUBJECT to compare with");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int observe(struct observation *observation, const char *typed, const struct table *table)
{
    const struct trace *trace = table->trace;
    const struct executor_options how = {.has_capacity = table->request->cli.has_capacity,
                                         .capacity = table->request->cli.capacity};
    struct executor *executor;
    struct execution execution;
    char error[SUBJECT_ERROR_MAX];
    if (executor_start(&executor, typed, &how, error) != 0)
        return refuse("%s", error);
    struct run_options options = executor_thorough(executor, trace->count);
    int result = executor_run(executor, trace, &options, true, &execution, error);
    if (result == 0) {
        observation->info = *executor_info(executor);
        observation->is_clean = execution.is_clean;
        observation->verdict = execution.verdict;
        memcpy(observation->outcomes, execution.outcomes,
               trace->count * sizeof *observation->outcomes);
    }
    executor_stop(executor);
    return result == 0 ? EXIT_CLEAN : report_internal_error("%s: %s", typed, error);
}

/* What one subject showed at one op, as a word or two. */
static void format_cell(const struct outcome *outcome, const struct trace_op *op,
                        char ret_text[COLUMN])
{
    const char *answer = (trace_op_traits(op->kind) & OP_HAS_SIZE) == 0 ? "done"
                         : outcome->returned_null                       ? "NULL"
                                                                        : "block";
    const char *error = outcome->error != 0 ? strerrorname_np(outcome->error) : NULL;
    if (!outcome->ran)
        snprintf(ret_text, COLUMN, "-");
    else if (outcome->error != 0 && error == NULL)
        snprintf(ret_text, COLUMN, "%s %d", answer, outcome->error);
    else
        snprintf(ret_text, COLUMN, "%s%s%s", answer, error != NULL ? " " : "",
                 error != NULL ? error : "");
}

static const char *difference_name(enum difference difference)
{
    return difference == DIFFERENCE_REAL     ? "DIFFERS"
           : difference == DIFFERENCE_CHOICE ? "choice"
                                             : "";
}

static bool is_call(const struct trace_op *op)
{
    return (trace_op_traits(op->kind) & (OP_HAS_SIZE | OP_FREES)) != 0;
}

static void print_row(const struct table *table, size_t i)
{
    char text[TRACE_LINE_MAX], cell[COLUMN];
    trace_format_op(&table->trace->ops[i], text);
    printf("%5zu  %-36s", i, text);
    for (size_t j = 0; j < table->request->cli.subject_count; j++) {
        format_cell(&table->observations[j].outcomes[i], &table->trace->ops[i], cell);
        printf(" %-*s", COLUMN - 1, is_call(&table->trace->ops[i]) ? cell : "");
    }
    printf(" %s\n", difference_name(table->differences[i]));
}

static void print_choice(const struct table *table, enum policy_id id)
{
    printf("       %-36s", policy_text(id));
    for (size_t i = 0; i < table->request->cli.subject_count; i++) {
        uint8_t choice = table->observations[i].info.policy.choice[id];
        printf(" %-*s", COLUMN - 1,
               choice == POLICY_NULL    ? "NULL"
               : choice == POLICY_BLOCK ? "block"
                                        : "-");
    }
    printf(" choice\n");
}

/* Of an observation that is not clean. */
static struct finding make_finding(const struct table *table, const struct observation *observation)
{
    struct finding finding;
    finding_make(&finding, observation->info.subject.name, &observation->verdict, "");
    finding.trace = *table->trace;
    finding.reproduced = finding.attempts = 1;
    return finding;
}

static void print_table(const struct table *table)
{
    size_t count = table->request->cli.subject_count;
    printf("%5s  %-36s", "op", "");
    for (size_t i = 0; i < count; i++)
        printf(" %-*.*s", COLUMN - 1, COLUMN - 1, table->observations[i].info.subject.name);
    printf("\n");
    for (size_t i = 0; i < table->trace->count; i++)
        if (table->trace->count <= ROWS_MAX || table->differences[i] != DIFFERENCE_NONE)
            print_row(table, i);
    for (unsigned id = 0; id < POLICY_COUNT; id++)
        if (diff_choice(table->observations, count, (enum policy_id)id))
            print_choice(table, (enum policy_id)id);
    for (size_t i = 0; i < count; i++) {
        const struct observation *observation = &table->observations[i];
        printf("%s: %s\n", observation->info.subject.name,
               observation->is_clean ? "every check holds" : "FINDING");
        if (!observation->is_clean) {
            struct finding finding = make_finding(table, observation);
            report_verdict(stdout, &finding);
        }
    }
    printf("%s\n", table->differ ? "the contract differs" : "the contract is the same");
}

static json_t *describe_subject(const struct table *table, const struct observation *observation)
{
    json_t *outcomes = json_array();
    for (size_t i = 0; i < table->trace->count; i++) {
        char cell[COLUMN];
        format_cell(&observation->outcomes[i], &table->trace->ops[i], cell);
        json_array_append_new(outcomes, json_string(is_call(&table->trace->ops[i]) ? cell : ""));
    }
    struct finding finding = make_finding(table, observation);
    json_t *described = observation->is_clean ? json_null() : finding_to_json(&finding);
    return json_pack("{s:s, s:s, s:o, s:o}", "subject", observation->info.subject.name, "result",
                     observation->is_clean ? "ok" : "finding", "finding", described, "outcomes",
                     outcomes);
}

static json_t *describe_table(const struct table *table)
{
    json_t *subjects = json_array(), *differences = json_array(), *choices = json_array();
    for (size_t i = 0; i < table->request->cli.subject_count; i++)
        json_array_append_new(subjects, describe_subject(table, &table->observations[i]));
    for (size_t i = 0; i < table->trace->count; i++)
        if (table->differences[i] != DIFFERENCE_NONE)
            json_array_append_new(
                differences,
                json_pack("{s:I, s:s}", "op", (json_int_t)i, "kind",
                          table->differences[i] == DIFFERENCE_REAL ? "difference" : "choice"));
    for (unsigned id = 0; id < POLICY_COUNT; id++)
        if (diff_choice(table->observations, table->request->cli.subject_count, (enum policy_id)id))
            json_array_append_new(choices, json_string(policy_text((enum policy_id)id)));
    return json_pack("{s:o, s:b, s:o, s:o, s:o}", "file", cli_json_text(table->request->file),
                     "differ", table->differ, "subjects", subjects, "differences", differences,
                     "choices", choices);
}

static int compare_all(struct table *table)
{
    size_t count = table->request->cli.subject_count;
    for (size_t i = 0; i < count; i++) {
        int status = observe(&table->observations[i], table->request->cli.subjects[i], table);
        if (status != EXIT_CLEAN)
            return status;
    }
    bool differ = diff_outcomes(table->trace, table->observations, count, table->differences) > 0;
    table->differ = diff_verdicts(table->observations, count) || differ;
    if (!table->request->cli.as_json)
        print_table(table);
    else if (cli_print_json(describe_table(table)) != EXIT_CLEAN)
        return EXIT_INTERNAL;
    return table->differ ? EXIT_FINDINGS : EXIT_CLEAN;
}

static int compare_trace(const struct request *request, const struct trace *trace)
{
    struct table *table = calloc(1, sizeof *table);
    struct outcome *outcomes = calloc(trace->count * request->cli.subject_count, sizeof *outcomes);
    enum difference *differences = calloc(trace->count, sizeof *differences);
    int status = EXIT_INTERNAL;
    if (table != NULL && outcomes != NULL && differences != NULL) {
        *table = (struct table){.request = request, .trace = trace, .differences = differences};
        for (size_t i = 0; i < request->cli.subject_count; i++)
            table->observations[i].outcomes = outcomes + i * trace->count;
        status = compare_all(table);
    } else {
        report_internal_error("no memory for %zu ops", trace->count);
    }
    free(differences);
    free(outcomes);
    free(table);
    return status;
}

int command_diff(int argc, char **argv)
{
    static const struct cli_spec spec = {.takes = CLI_JSON | CLI_CAPACITY,
                                         .subjects_max = CLI_SUBJECTS_MAX};
    static const struct argp argp = {
        .parser = parse_option,
        .args_doc = "FILE SUBJECT SUBJECT…",
        .doc = "Run one trace on several allocators and print what a caller sees of each: blocks "
               "or NULL, errno, findings; never addresses. Differences that the standards allow "
               "are marked `choice`; any other difference makes the exit status 1."};
    struct request request = {0};
    struct trace trace;
    char error[TRACE_FILE_ERROR_MAX];
    cli_parse(&spec, &argp, argc, argv, &request.cli, &request);
    if (trace_file_read(request.file, &trace, error) != 0)
        return refuse("%s", error);
    int status = compare_trace(&request, &trace);
    trace_file_done(&trace);
    return status;
}
