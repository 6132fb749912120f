/* SPDX-License-Identifier: MIT */
/*
 * The argp child of the shared options. The table below has all of them; cli_parse copies the rows
 * that a command takes into an argp of that run. Its root has two children, the command's own argp
 * and this one, in this order: argp asks the first child first, so that own options win.
 */
#include "harness/cli/cli.h"
#include "harness/cli/output.h"
#include "harness/program/program.h"
#include "harness/run/check.h"
#include "harness/subject/subject_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_LIST = 'l',
    KEY_OUTPUT = 'o',
    KEY_SEED = 'e',
    KEY_CAPACITY = 'c',
    KEY_JOBS = 'j',
    KEY_JSON = 1000, /* long options only */
    KEY_BASELINE,
    KEY_WRITE_BASELINE,
    KEY_FINDINGS,
    KEY_STRICT,
    KEY_ALLOW,
    KEY_LIMIT,
    KEY_AT_LEAST,
    KEY_CFLAGS,
    KEY_PREFIX,
    KEY_DECLARE,
    KEY_INIT,
    KEY_LACKS,
    KEY_LAB
};

/* Not an option of its own: what commands with a SUBJECT take. */
enum { TAKES_SUBJECT = 1 << 30 };
static const char built_folder[] = "mallet-report/built";

static const struct {
    unsigned taken_by;
    struct argp_option option;
} shared[] = {
    {CLI_JSON, {"json", KEY_JSON, NULL, 0, "Print JSON", 0}},
    {CLI_LIST, {"list", KEY_LIST, NULL, 0, "List what there is to choose from, and exit", 0}},
    {CLI_FINDINGS,
     {"baseline", KEY_BASELINE, "FILE", 0,
      "Expect the findings that FILE lists; only others count. May be repeated", 0}},
    {CLI_FINDINGS, {"known", 0, NULL, OPTION_ALIAS, NULL, 0}},
    {CLI_FINDINGS,
     {"write-baseline", KEY_WRITE_BASELINE, "FILE", 0, "Write the findings to FILE as a baseline",
      0}},
    {CLI_FINDINGS,
     {"findings", KEY_FINDINGS, "FILE", 0,
      "Write each finding to FILE when it is found, one JSON object per line", 0}},
    {CLI_FINDINGS,
     {"strict", KEY_STRICT, NULL, 0,
      "Count notes as findings, except where editions of a standard disagree", 0}},
    {CLI_FINDINGS,
     {"allow", KEY_ALLOW, "CHECK,CHECK", 0,
      "Do not count findings of these checks, such as recovery,scaling", 0}},
    {CLI_CAPACITY,
     {"capacity", KEY_CAPACITY, "SIZE", 0,
      "Bytes that the allocator can serve, such as 65536, 64K or 1M; 0: no limit (default: as "
      "probed)",
      0}},
    {CLI_LIMIT,
     {"limit", KEY_LIMIT, "TIME", 0,
      "Start nothing new after TIME, such as 90s, 20m or 1h30m; what is skipped is listed", 0}},
    {CLI_AT_LEAST,
     {"at-least", KEY_AT_LEAST, "N", 0,
      "Where nothing is found, go on after the limit until N were done (traces, clauses, runs)",
      0}},
    {CLI_OUTPUT_FILE,
     {"output", KEY_OUTPUT, "FILE", 0, "Write to FILE instead of standard output", 0}},
    {CLI_OUTPUT_FOLDER,
     {"output", KEY_OUTPUT, "DIR", 0, "Write a C program for each finding to DIR", 0}},
    {TAKES_SUBJECT,
     {"cflags", KEY_CFLAGS, "WORDS", 0,
      "Words for the compiler where SUBJECT is a C source, an object or an archive, such as "
      "'-O1 -I. more.c'",
      0}},
    {TAKES_SUBJECT,
     {"prefix", KEY_PREFIX, "NAME", 0,
      "The functions of SUBJECT are called NAMEmalloc, NAMEfree and so on", 0}},
    {TAKES_SUBJECT,
     {"declare", KEY_DECLARE, "FILE", 0,
      "FILE says what SUBJECT calls its functions, in lines such as 'malloc = my_alloc(size, 0)' "
      "or 'free = operator delete(block)'",
      0}},
    {TAKES_SUBJECT,
     {"init", KEY_INIT, "FUNCTION", 0, "Call FUNCTION of SUBJECT, without arguments, before any",
      0}},
    {TAKES_SUBJECT,
     {"lacks", KEY_LACKS, "WORD,WORD", 0,
      "What SUBJECT, where it is built here, need not do: threads (only one thread may call it), "
      "alignment (to 8 bytes, not 16), errno (on failure), cost (that does not grow with the "
      "number of blocks), process (serve a whole process)",
      0}},
    {TAKES_SUBJECT,
     {"lab", KEY_LAB, "NAME", 0,
      "SUBJECT is the solution of an exercise: malloclab, for mm.c of the CS:APP malloc lab, with "
      "mem_sbrk and its siblings",
      0}},
    {CLI_JOBS,
     {"jobs", KEY_JOBS, "N", 0, "Run N at a time, 1 to 64 (default: one for each processor)", 0}},
    {CLI_SEED, {"seed", KEY_SEED, "N", 0, "Seed of the random choices (default: 1)", 0}},
};
enum { SHARED = sizeof shared / sizeof shared[0] };

static const char *text_of(const struct cli_spec *spec, int key)
{
    switch (key) {
    case KEY_LIST:
        return spec->list_text;
    case KEY_LIMIT:
        return spec->limit_text;
    case KEY_OUTPUT:
        return spec->output_text;
    case KEY_JOBS:
        return spec->jobs_text;
    default:
        return NULL;
    }
}

static void select_options(const struct cli_spec *spec, struct argp_option ret_options[SHARED + 1])
{
    size_t count = 0;
    unsigned takes = spec->takes | (spec->subjects_max > 0 ? TAKES_SUBJECT : 0u);
    for (size_t i = 0; i < SHARED; i++) {
        if ((shared[i].taken_by & takes) == 0)
            continue;
        const char *text = text_of(spec, shared[i].option.key);
        ret_options[count] = shared[i].option;
        if (text != NULL)
            ret_options[count].doc = text;
        count++;
    }
    ret_options[count] = (struct argp_option){0};
}

static error_t add_subject(struct cli *cli, const char *value, struct argp_state *state)
{
    unsigned max = cli->spec->subjects_max;
    if (max == 0)
        return ARGP_ERR_UNKNOWN;
    if (cli->subject_count == max && max == 1)
        argp_error(state, "one SUBJECT only, not also `%s`", value);
    if (cli->subject_count == max)
        argp_error(state, "at most %u SUBJECTs, `%s` is one more", max, value);
    cli->subjects[cli->subject_count++] = value;
    cli->subject = cli->subjects[0];
    return 0;
}

static const char *check_name_at(unsigned i)
{
    return i < CHECK_COUNT ? check_name((enum check)i) : NULL;
}

static uint32_t parse_checks(const char *text)
{
    uint32_t checks = 0;
    char name[32];
    for (const char *at = text, *end; at != NULL; at = *end == ',' ? end + 1 : NULL) {
        end = strchrnul(at, ',');
        snprintf(name, sizeof name, "%.*s", (int)(end - at), at);
        checks |= UINT32_C(1) << cli_parse_choice("--allow", name, check_name_at);
    }
    return checks;
}

static void check_lacks(const char *list)
{
    unsigned lacks;
    const char *word;
    int length;
    if (subject_parse_lacks(list, &lacks, &word, &length) != 0)
        exit(refuse("--lacks: `%.*s` is none of threads, alignment, errno, cost, process", length,
                    word));
}

/* Where the value of an option is kept as it is, or NULL. */
static const char **word_of(struct cli *cli, int key)
{
    switch (key) {
    case KEY_WRITE_BASELINE:
        return &cli->write_baseline;
    case KEY_FINDINGS:
        return &cli->findings;
    case KEY_OUTPUT:
        return &cli->output;
    case KEY_CFLAGS:
        return &cli->bring.cflags;
    case KEY_PREFIX:
        return &cli->bring.prefix;
    case KEY_DECLARE:
        return &cli->bring.declare;
    case KEY_INIT:
        return &cli->bring.init;
    case KEY_LACKS:
        return &cli->bring.lacks;
    case KEY_LAB:
        return &cli->bring.lab;
    default:
        return NULL;
    }
}

static error_t parse_shared(int key, char *value, struct argp_state *state)
{
    struct cli *cli = state->input;
    const char **word = word_of(cli, key);
    if (word != NULL)
        *word = value;
    switch (key) {
    case KEY_JSON:
        cli->as_json = true;
        return 0;
    case KEY_LIST:
        cli->is_list = true;
        return 0;
    case KEY_BASELINE:
        if (cli->baseline_count == CLI_BASELINES_MAX)
            exit(refuse("--baseline: at most %d files", CLI_BASELINES_MAX));
        cli->baselines[cli->baseline_count++] = value;
        return 0;
    case KEY_STRICT:
        cli->is_strict = true;
        return 0;
    case KEY_ALLOW:
        cli->allowed |= parse_checks(value);
        return 0;
    case KEY_CAPACITY:
        cli->has_capacity = true;
        cli->capacity = cli_parse_size("--capacity", value);
        return 0;
    case KEY_JOBS:
        cli->jobs = (unsigned)cli_parse_number("--jobs", value, 1, CLI_JOBS_MAX);
        return 0;
    case KEY_LIMIT:
        cli->limit = cli_parse_time("--limit", value);
        return 0;
    case KEY_AT_LEAST:
        cli->at_least = cli_parse_number("--at-least", value, 1, UINT32_MAX);
        return 0;
    case KEY_SEED:
        cli->seed = cli_parse_number("--seed", value, 0, INT64_MAX);
        return 0;
    case KEY_LACKS:
        check_lacks(value);
        return 0;
    case KEY_LAB:
        (void)cli_parse_choice("--lab", value, bring_lab_at);
        return 0;
    case ARGP_KEY_ARG:
        return add_subject(cli, value, state);
    case ARGP_KEY_END:
        if (cli->subject_count < cli->spec->subjects_min && !cli->is_list)
            argp_error(state, "SUBJECT is missing");
        return 0;
    default:
        return word != NULL ? 0 : ARGP_ERR_UNKNOWN;
    }
}

/* The root has no options; it hands each child its input. */
static error_t parse_root(int key, char *value, struct argp_state *state)
{
    (void)value;
    if (key != ARGP_KEY_INIT)
        return ARGP_ERR_UNKNOWN;
    memcpy(state->child_inputs, state->input, 2 * sizeof(void *));
    return 0;
}

/* Behind \v stands what argp prints below the options. */
static const char *add_exit_statuses(const struct cli_spec *spec, const char *doc)
{
    static char whole[4096];
    if ((spec->takes & CLI_FINDINGS) == 0)
        return doc;
    snprintf(whole, sizeof whole, "%s%s%s", doc, strchr(doc, '\v') != NULL ? "\n\n" : "\v",
             CLI_EXIT_STATUSES);
    return whole;
}

/* Which option makes a subject one that has to be built, or is about how; NULL: none. */
static const char *build_option(const struct bring *bring)
{
    return bring->lab != NULL       ? "--lab"
           : bring->prefix != NULL  ? "--prefix"
           : bring->declare != NULL ? "--declare"
           : bring->lacks != NULL   ? "--lacks"
           : bring->init != NULL    ? "--init"
           : bring->cflags != NULL  ? "--cflags"
                                    : NULL;
}

static void refuse_to_build(const struct bring *bring, const char *error)
{
    const char *option = build_option(bring);
    bool is_named = strncmp(error, "--", 2) == 0 || option == NULL;
    exit(refuse("%s%s%s", is_named ? "" : option, is_named ? "" : ": ", error));
}

static void prepare_programs(const char *subject)
{
    struct subject_plan plan;
    char error[SUBJECT_ERROR_MAX];
    program_use_names(bring_read_names(subject));
    if (subject_resolve(&plan, subject, BIND_AUTO, SUBJECT_IN_PROCESS, error) == 0)
        program_use_compile_option(subject_plan_compile_option(&plan));
}

/* With an output folder of its own, a later build of the same name does not replace this one. */
static void choose_built_folder(const struct cli *cli, char ret_path[PATH_MAX])
{
    bool is_own = (cli->spec->takes & CLI_OUTPUT_FOLDER) != 0 && cli->output != NULL;
    snprintf(ret_path, PATH_MAX, "%.4000s%s", is_own ? cli->output : built_folder,
             is_own ? "/built" : "");
}

/* Replaces what has to be built by what was built of it. */
static void build_subjects(struct cli *cli)
{
    char folder[PATH_MAX], path[PATH_MAX], error[BRING_ERROR_MAX];
    unsigned built = 0;
    cli->bring.is_fuzzed = cli->spec->is_fuzzed;
    if (cli->bring.lab != NULL && (cli->bring.prefix != NULL || cli->bring.init != NULL))
        exit(refuse("--lab: it states what %s would",
                    cli->bring.prefix != NULL ? "--prefix" : "--init"));
    if (cli->bring.declare != NULL && (cli->bring.prefix != NULL || cli->bring.lab != NULL))
        exit(refuse("--declare: it states what %s would",
                    cli->bring.prefix != NULL ? "--prefix" : "--lab"));
    choose_built_folder(cli, folder);
    for (unsigned i = 0; i < cli->subject_count; i++) {
        if (!bring_is_needed(&cli->bring, cli->subjects[i]))
            continue;
        if (bring_build(&cli->bring, cli->subjects[i], folder, path, error) != 0)
            refuse_to_build(&cli->bring, error);
        cli->subjects[i] = strdup(path); /* for as long as the process lives */
        if (cli->subjects[i] == NULL)
            exit(report_internal_error("no memory for the name of the subject"));
        built++;
    }
    if (built == 0 && build_option(&cli->bring) != NULL)
        exit(refuse("%s: there is no SUBJECT to be built", build_option(&cli->bring)));
    cli->subject = cli->subjects[0];
    if (cli->subject != NULL)
        prepare_programs(cli->subject);
}

/* Before anything runs, and before anything is written. */
static void check_output(const struct cli *cli)
{
    char error[OUTPUT_ERROR_MAX];
    if (cli->output == NULL || cli->is_list)
        return;
    int result = (cli->spec->takes & CLI_OUTPUT_FOLDER) != 0
                     ? output_check_folder(cli->output, error)
                     : output_check(cli->output, error);
    if (result != 0)
        exit(refuse("--output: %s", error));
}

void cli_parse(const struct cli_spec *spec, const struct argp *own, int argc, char **argv,
               struct cli *ret_cli, void *input)
{
    struct argp_option options[SHARED + 1];
    select_options(spec, options);
    const struct argp own_child = {.options = own->options, .parser = own->parser};
    const struct argp shared_child = {.options = options, .parser = parse_shared};
    const struct argp_child children[] = {{.argp = &own_child}, {.argp = &shared_child}, {0}};
    const struct argp root = {.parser = parse_root,
                              .args_doc = own->args_doc,
                              .doc = add_exit_statuses(spec, own->doc),
                              .children = children};
    *ret_cli = (struct cli){.spec = spec, .seed = 1};
    void *inputs[] = {input, ret_cli};
    argp_parse(&root, argc, argv, spec->stops_at_argument ? ARGP_IN_ORDER : 0, NULL, inputs);
    cli_name_document(argv[0], ret_cli->is_list);
    check_output(ret_cli);
    build_subjects(ret_cli);
}
