/* SPDX-License-Identifier: MIT */
/*
 * mutants: the harness's own score. Runs on each mutant of the registry the command that is meant
 * to catch it, or a whole `mallet check`, and prints what was killed, by what, and at which cost.
 * Only a finding that counts, of the check or clause that the registry expects, is a kill.
 */
#include "harness/base/random.h"
#include "harness/cli/output.h"
#include "mallet/command.h"
#include "mallet/mutant_run.h"
#include "mallet/seeds.h"

#include <stdlib.h>
#include <string.h>

enum {
    KEY_CLASS = 1000,
    KEY_BUDGET,
    KEY_QUICK,
    KEY_DEFAULT,
    KEY_WHOLE,
    KEY_SAMPLE,
    BUDGET_S = 60,
    CLASSES_MAX = 16
};

struct request {
    struct cli cli;
    struct mutant_plan plan;
    const char *class; /* NULL: all */
    unsigned sample;   /* 0: all */
    const char *ids[MUTANT_END];
    size_t id_count;
};

struct bench {
    const struct request *request;
    const struct mutant *chosen[MUTANT_END];
    struct mutant_score scores[MUTANT_END];
    size_t count; /* chosen */
    size_t done;
};

/* ---- which ---- */

static bool is_named(const struct request *request, const struct mutant *mutant)
{
    for (size_t i = 0; i < request->id_count; i++)
        if (strcmp(request->ids[i], mutant->id) == 0)
            return true;
    return request->id_count == 0;
}

static bool has_class(const struct mutant *mutant, const char *class)
{
    bool is_hard = mutant->hard[0] != '\0';
    return strcmp(mutant->reach, class) == 0 ||
           (is_hard && (strcmp(class, "hard") == 0 || strcmp(class, mutant->hard) == 0));
}

/* Leaves so many of those that were chosen, in the order of the registry. */
static void take_sample(struct bench *bench)
{
    struct random random = {.state = bench->request->cli.seed};
    size_t wanted = bench->request->sample, kept = 0;
    if (wanted == 0)
        return;
    for (size_t i = 0; i < bench->count && kept < wanted; i++)
        if (random_below(&random, bench->count - i) < wanted - kept)
            bench->chosen[kept++] = bench->chosen[i];
    bench->count = kept;
}

static int choose(struct bench *bench)
{
    const struct request *request = bench->request;
    for (size_t i = 0; i < request->id_count; i++)
        if (mutant_find(request->ids[i]) == NULL)
            return refuse("no mutant is called `%s`; mutants/registry.tsv lists them",
                          request->ids[i]);
    for (size_t i = 0; mutant_at(i) != NULL; i++) {
        const struct mutant *mutant = mutant_at(i);
        if (is_named(request, mutant) &&
            (request->class == NULL || has_class(mutant, request->class)))
            bench->chosen[bench->count++] = mutant;
    }
    if (bench->count == 0)
        return refuse("--class: no mutant that was named is of the class `%s`", request->class);
    take_sample(bench);
    return EXIT_CLEAN;
}

/* ---- the table ---- */

static const char *result_word(const struct mutant_score *score)
{
    return mutant_is_equivalent(score->mutant) ? "equivalent"
           : !score->was_run                   ? "not run"
           : score->is_killed                  ? "killed"
                                               : "MISSED";
}

static void print_score(const struct bench *bench, const struct mutant_score *score)
{
    printf("%-10s %-44s", result_word(score), score->mutant->id);
    if (!score->was_run) {
        printf(" %s\n", mutant_is_equivalent(score->mutant)
                            ? "it costs what sound allocators may cost: a note tells"
                            : "no command of this run is meant to make a finding of it");
        return;
    }
    printf(" %6.1f s %6.1f s CPU", score->seconds, score->cpu_seconds);
    if (bench->request->plan.is_check && bench->request->plan.is_whole)
        printf("  %2zu finding%s", score->findings, score->findings == 1 ? "" : "s");
    if (score->is_killed)
        printf("  %s in %s, by %s\n", score->check, score->site, score->step);
    else
        printf("  expected %s; exit status %d\n", score->mutant->caught_by, score->status);
    fflush(stdout);
}

struct tally {
    const char *class;
    size_t killed, run;
};

/* One tally for each class that was run; returns how many. */
static size_t count_classes(const struct bench *bench, struct tally tallies[CLASSES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < bench->done; i++) {
        const struct mutant_score *score = &bench->scores[i];
        size_t at = 0;
        while (at < count && strcmp(tallies[at].class, score->mutant->reach) != 0)
            at++;
        if (at == count && count < CLASSES_MAX)
            tallies[count++] = (struct tally){.class = score->mutant->reach};
        if (at < count) {
            tallies[at].killed += score->is_killed;
            tallies[at].run += score->was_run;
        }
    }
    return count;
}

static struct tally count_all(const struct bench *bench, bool only_hard)
{
    struct tally all = {0};
    for (size_t i = 0; i < bench->done; i++) {
        if (only_hard && bench->scores[i].mutant->hard[0] == '\0')
            continue;
        all.killed += bench->scores[i].is_killed;
        all.run += bench->scores[i].was_run;
    }
    return all;
}

static int compare_sizes(const void *left, const void *right)
{
    size_t a = *(const size_t *)left, b = *(const size_t *)right;
    return a < b ? -1 : a > b;
}

/* How many entries a page has for one mistake. */
static void print_entries(const struct bench *bench)
{
    size_t entries[MUTANT_END], count = 0;
    for (size_t i = 0; i < bench->done; i++)
        if (bench->scores[i].is_killed)
            entries[count++] = bench->scores[i].findings;
    if (count == 0)
        return;
    qsort(entries, count, sizeof *entries, compare_sizes);
    printf("findings for each killed mutant: median %zu, 90th percentile %zu, most %zu\n",
           entries[count / 2], entries[count * 9 / 10], entries[count - 1]);
}

static void print_totals(const struct bench *bench)
{
    struct tally tallies[CLASSES_MAX], all = count_all(bench, false), hard = count_all(bench, true);
    size_t count = count_classes(bench, tallies);
    printf("\n");
    for (size_t i = 0; i < count; i++)
        printf("%-10s %3zu of %3zu killed\n", tallies[i].class, tallies[i].killed, tallies[i].run);
    printf("%-10s %3zu of %3zu killed", "all", all.killed, all.run);
    if (hard.run > 0)
        printf(", of the hard ones %zu of %zu", hard.killed, hard.run);
    printf("\n");
    if (bench->request->plan.is_check && bench->request->plan.is_whole)
        print_entries(bench);
}

/* ---- JSON ---- */

static json_t *describe_score(const struct mutant_score *score)
{
    json_t *row =
        json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s, s:s, s:n, s:b, s:O, s:I, s:I, s:f, s:f, s:i}",
                  "id", score->mutant->id, "class", score->mutant->reach, "hard",
                  score->mutant->hard[0] != '\0' ? score->mutant->hard : NULL, "origin",
                  score->mutant->origin, "mistake", score->mutant->mistake, "expected",
                  score->mutant->caught_by, "result", result_word(score), "killed_by", "equivalent",
                  (int)mutant_is_equivalent(score->mutant), "steps", score->steps, "findings",
                  (json_int_t)score->findings, "notes", (json_int_t)score->notes, "seconds",
                  score->seconds, "cpu_seconds", score->cpu_seconds, "status", score->status);
    if (score->is_killed)
        json_object_set_new(row, "killed_by",
                            json_pack("{s:s, s:s, s:s, s:s}", "step", score->step, "check",
                                      score->check, "site", score->site, "sentence",
                                      score->sentence));
    return row;
}

static json_t *describe(const struct bench *bench)
{
    struct tally tallies[CLASSES_MAX], all = count_all(bench, false);
    json_t *rows = json_array(), *classes = json_array();
    for (size_t i = 0; i < bench->done; i++)
        json_array_append_new(rows, describe_score(&bench->scores[i]));
    for (size_t i = 0, count = count_classes(bench, tallies); i < count; i++)
        json_array_append_new(classes, json_pack("{s:s, s:I, s:I}", "class", tallies[i].class,
                                                 "killed", (json_int_t)tallies[i].killed, "run",
                                                 (json_int_t)tallies[i].run));
    const struct mutant_plan *plan = &bench->request->plan;
    json_t *document = json_pack("{s:s, s:I, s:o, s:o, s:I, s:I}", "by",
                                 plan->is_check ? check_level_name(plan->level) : "meant", "budget",
                                 (json_int_t)plan->budget, "mutants", rows, "classes", classes,
                                 "killed", (json_int_t)all.killed, "run", (json_int_t)all.run);
    const struct cli_work work = {.done = bench->done, .minimum = bench->count};
    cli_add_work(document, &work);
    return document;
}

/* ---- the run ---- */

static void show_progress(const struct bench *bench)
{
    fprintf(stderr, "%zu of %zu: %s\n", bench->done + 1, bench->count,
            bench->chosen[bench->done]->id);
}

/* A command that could not do its work spoils one row, and the run goes on. */
static int run_all(struct bench *bench)
{
    char error[512];
    int status = EXIT_CLEAN;
    bool as_json = bench->request->cli.as_json;
    for (; bench->done < bench->count && !cli_is_interrupted(); bench->done++) {
        struct mutant_score *score = &bench->scores[bench->done];
        if (as_json)
            show_progress(bench);
        if (mutant_run(&bench->request->plan, bench->chosen[bench->done], score, error,
                       sizeof error) != 0)
            status = report_internal_error("%s", error);
        else if (cli_is_interrupted() && !score->is_killed)
            break;
        else if (!as_json)
            print_score(bench, score);
    }
    return status;
}

static int conclude(const struct bench *bench)
{
    struct tally all = count_all(bench, false);
    const struct cli_work work = {.done = bench->done, .minimum = bench->count};
    bool is_void = all.run == 0 && !cli_is_interrupted();
    return is_void ? EXIT_INCOMPLETE : cli_conclude(all.run - all.killed, &work);
}

static int run_request(struct request *request)
{
    static struct bench bench; /* too large for the stack */
    static char corpus[PATH_MAX];
    char error[OUTPUT_ERROR_MAX];
    request->plan.output =
        request->cli.output != NULL ? request->cli.output : "mallet-report/mutants";
    bench.request = request;
    if (!seeds_find(NULL, corpus, error))
        return refuse("%s", error);
    request->plan.corpus = corpus;
    int status = choose(&bench);
    if (status == EXIT_CLEAN && output_make_folder(request->plan.output, error) != 0)
        status = refuse("--output: %s", error);
    if (status == EXIT_CLEAN) {
        cli_catch_interrupts();
        status = run_all(&bench);
        if (request->cli.as_json)
            status = cli_worse_status(status, cli_print_json(describe(&bench)));
        else
            print_totals(&bench);
        status = cli_worse_status(status, conclude(&bench));
    }
    for (size_t i = 0; i < bench.count; i++)
        mutant_score_done(&bench.scores[i]);
    return status;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case KEY_CLASS:
        request->class = value;
        return 0;
    case KEY_BUDGET:
        request->plan.budget = cli_parse_time("--budget", value);
        return 0;
    case KEY_QUICK:
    case KEY_DEFAULT:
        request->plan.is_check = true;
        request->plan.level = key == KEY_QUICK ? LEVEL_QUICK : LEVEL_DEFAULT;
        return 0;
    case KEY_WHOLE:
        request->plan.is_whole = true;
        return 0;
    case KEY_SAMPLE:
        request->sample = (unsigned)cli_parse_number("--sample", value, 1, MUTANT_END);
        return 0;
    case ARGP_KEY_ARG:
        if (request->id_count == MUTANT_END)
            return ARGP_ERR_UNKNOWN;
        request->ids[request->id_count++] = value;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int command_mutants(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .takes = CLI_JSON | CLI_OUTPUT_FOLDER | CLI_SEED,
        .output_text = "Keep what the commands wrote in DIR, a folder for each mutant (default: "
                       "mallet-report/mutants)"};
    static const struct argp_option options[] = {
        {"class", KEY_CLASS, "CLASS", 0,
         "Only what takes CLASS: single, fault, threads, fork, signal, startup, misuse, schedule, "
         "file or header; or `hard`, what is hard to find",
         0},
        {"budget", KEY_BUDGET, "TIME", 0,
         "Time for the command that is meant to catch a mutant (default: 60s)", 0},
        {"quick", KEY_QUICK, NULL, 0, "Run `mallet check --quick` instead", 0},
        {"default", KEY_DEFAULT, NULL, 0, "Run `mallet check` instead", 0},
        {"whole", KEY_WHOLE, NULL, 0, "Go on after the expected finding", 0},
        {"sample", KEY_SAMPLE, "N", 0, "Only N of them, chosen by --seed", 0},
        {0},
    };
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "[MUTANT…]",
        .doc =
            "Run the harness on its own mutants, the deliberately broken allocators of mutants/, "
            "and print which were killed: a finding that counts, of the check or clause that "
            "the registry expects. A run ends at the kill.\v"
            "A mutant that was missed counts as a finding."};
    static struct request request = {.plan.budget = BUDGET_S};
    cli_parse(&spec, &argp, argc, argv, &request.cli, &request);
    return run_request(&request);
}
