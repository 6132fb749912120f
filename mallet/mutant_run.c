/* SPDX-License-Identifier: MIT */
/*
 * The findings come by way of files: every command writes a line for each as it finds it. They are
 * read again and again while the command runs, so that it can be ended at the expected one; a whole
 * check is judged by its check.json, which knows the entries of the page. A campaign has its
 * findings at its end: once its engine has saved a trace of the expected check, the engine is
 * stopped as by Ctrl-C, and its triage makes the finding. If triage makes none that counts, the
 * campaign goes on, in the time that is left.
 */
#include "mallet/mutant_run.h"

#include "conformance/clauses.h"
#include "harness/base/clock.h"
#include "harness/base/proc.h"
#include "harness/cli/cli.h"
#include "harness/cli/output.h"
#include "harness/finding/finding_json.h"
#include "harness/process/process.h"

#include <errno.h>
#include <glob.h>
#include <libgen.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { WORDS_MAX = 96, TEXT_MAX = 1024, POLL_MS = 200, GRACE_MS = 3000 };

static const char *const means[] = {"trace", "growth", "torture", "interleave", "clause", "call"};
enum { MEANS_COUNT = sizeof means / sizeof means[0] };

bool mutant_expects(const struct mutant *mutant, const char *check)
{
    struct mutant_catch catch;
    for (size_t i = 0; i < MEANS_COUNT; i++)
        if (mutant_catch_find(mutant, means[i], &catch) && mutant_names_have(catch.names, check))
            return true;
    return false;
}

static bool is_refused(const struct mutant *mutant)
{
    struct mutant_catch catch;
    return mutant_catch_find(mutant, "load", &catch) && strcmp(catch.names, "refused") == 0;
}

bool mutant_is_equivalent(const struct mutant *mutant)
{
    struct mutant_catch catch;
    return mutant_catch_find(mutant, "note", &catch);
}

/* What falls short of a recommendation is no finding, and `mallet check` shows as notes what does
 * not count by default. */
static bool has_counting_clause(const char *names, bool is_check)
{
    char name[64];
    unsigned profiles = 0;
    clauses_load();
    for (; *names != '\0'; names += strcspn(names, ","), names += *names == ',') {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(names, ","), names);
        const struct clause *clause = clauses_find(name);
        if (clause != NULL && clause->strength != STRENGTH_SHOULD)
            profiles |= clause->profiles;
    }
    return is_check ? profiles_count_by_default(profiles) : profiles != 0;
}

bool mutant_is_beyond(const struct mutant *mutant, bool is_check)
{
    struct mutant_catch catch;
    if (is_check &&
        (strcmp(mutant->origin, "scheduled") == 0 || mutant_catch_find(mutant, "call", &catch)))
        return true;
    if (is_check && mutant_catch_find(mutant, "clause", &catch))
        return !has_counting_clause(catch.names, is_check);
    for (size_t i = 0; i < MEANS_COUNT; i++)
        if (mutant_catch_find(mutant, means[i], &catch))
            return strcmp(means[i], "clause") == 0 && !has_counting_clause(catch.names, is_check);
    return !is_refused(mutant);
}

/* ---- the command ---- */

struct words {
    const char *list[WORDS_MAX + 1];
    size_t count;
    char folder[PATH_MAX], library[PATH_MAX], findings[PATH_MAX], variable[PATH_MAX];
    char trace[PATH_MAX], text[TEXT_MAX], budget[16];
    bool is_cut; /* the engine of a campaign was stopped at a trace of the expected check */
};

static void add(struct words *words, const char *word)
{
    if (words->count < WORDS_MAX)
        words->list[words->count++] = word;
}

static void add_all(struct words *words, const char *const *list)
{
    for (; *list != NULL; list++)
        add(words, *list);
}
#define ADD(words, ...) add_all(words, (const char *const[]){__VA_ARGS__, NULL})

/* The subject, and the variable that makes it this mutant: as mutants/CMakeLists.txt builds it. */
static bool find_subject(struct words *words, const struct mutant *mutant)
{
    char own[PATH_MAX / 2];
    if (!proc_own_folder(own, sizeof own))
        return false;
    const char *folder = dirname(own);
    if (strcmp(mutant->origin, "conformance") == 0) {
        snprintf(words->library, PATH_MAX, "%s/lib/mutants/libmutants.so", folder);
        snprintf(words->variable, PATH_MAX, "MALLET_MUTANT=%s", mutant->id);
    } else if (strcmp(mutant->origin, "header") == 0) {
        snprintf(words->library, PATH_MAX, "glibc");
        snprintf(words->variable, PATH_MAX, "CPATH=%s/../../mutants/conformance/headers/%s", folder,
                 mutant->id);
    } else if (strcmp(mutant->origin, "scheduled") == 0) {
        snprintf(words->library, PATH_MAX, "%s", mutant->id);
    } else {
        char mutants[PATH_MAX / 2];
        snprintf(mutants, sizeof mutants, "%s/lib/mutants", folder);
        mutant_library(mutant, false, mutants, words->library, PATH_MAX);
    }
    return true;
}

static void add_clauses(struct words *words, const char *names)
{
    char *rest = NULL;
    snprintf(words->text, sizeof words->text, "%s", names);
    for (char *name = strtok_r(words->text, ",", &rest); name != NULL;
         name = strtok_r(NULL, ",", &rest))
        ADD(words, "--clause", name);
}

/* Whether it takes longer traces than an engine mutates, or a little memory lost with each thread
 * that ends: then more cycles than an engine has time for. */
static bool is_for_the_corpus(const struct mutant *mutant)
{
    return strcmp(mutant->hard, "ops") == 0 || strcmp(mutant->hard, "gap") == 0 ||
           (strcmp(mutant->hard, "footprint") == 0 && strcmp(mutant->reach, "threads") == 0);
}

static void add_replay(struct words *words, const struct mutant *mutant, const char *corpus)
{
    ADD(words, "replay", words->library, corpus);
    if (strcmp(mutant->reach, "fault") == 0)
        ADD(words, "--rounds", "0", "--fail-os", "all");
}

/* The command that is meant to catch it. */
static void add_meant(struct words *words, const struct mutant_plan *plan,
                      const struct mutant *mutant, struct mutant_catch *catch)
{
    if (mutant_catch_find(mutant, "trace", catch) && is_for_the_corpus(mutant)) {
        add_replay(words, mutant, plan->corpus);
        return;
    }
    if (mutant_catch_find(mutant, "trace", catch)) {
        ADD(words, "fuzz", "--time", words->budget, "--output", words->folder);
    } else if (mutant_catch_find(mutant, "growth", catch)) {
        ADD(words, "growth", "--workload", catch->where);
    } else if (mutant_catch_find(mutant, "torture", catch)) {
        ADD(words, "torture", "--scenario", catch->where, "--time", words->budget);
    } else if (mutant_catch_find(mutant, "interleave", catch)) {
        ADD(words, "interleave", "--scenario", catch->where);
    } else if (mutant_catch_find(mutant, "clause", catch)) {
        ADD(words, "conform", "--profile", "all");
        add_clauses(words, catch->names);
    } else {
        ADD(words, "replay", "--rounds", "0", words->library, words->trace);
        if (mutant_catch_find(mutant, "load", catch) && catch->where[0] != '\0')
            ADD(words, "--binding", catch->where);
        return;
    }
    add(words, words->library);
}

/* The trace in which a hostile subject strikes: at a call, or at the third fork. */
static int write_trace(struct words *words, const struct mutant *mutant,
                       char error[OUTPUT_ERROR_MAX])
{
    struct output output;
    snprintf(words->trace, PATH_MAX, "%.3000s/call.trace", words->folder);
    int failure = output_open(&output, words->trace, error);
    if (failure != 0)
        return failure;
    fprintf(output.file, "#0 = malloc %d\nfree #0\n%s", MUTANT_HOSTILE_SIZE,
            strcmp(mutant->reach, "fork") == 0 ? "fork\nfork\nfork\n" : "");
    return output_close(&output, error);
}

static void add_check(struct words *words, const struct mutant_plan *plan)
{
    ADD(words, "check", "--output", words->folder, "--corpus", plan->corpus);
    if (plan->level != LEVEL_DEFAULT)
        add(words, plan->level == LEVEL_QUICK ? "--quick" : "--thorough");
    add(words, words->library);
}

static int fill_words(struct words *words, const struct mutant_plan *plan,
                      const struct mutant *mutant, struct mutant_catch *catch,
                      char error[OUTPUT_ERROR_MAX])
{
    *words = (struct words){0};
    snprintf(words->folder, PATH_MAX, "%.3000s/%s", plan->output, mutant->id);
    snprintf(words->budget, sizeof words->budget, "%u", plan->budget);
    output_remove(words->folder); /* an earlier run's findings would be tried first */
    int failure = output_make_folder(words->folder, error);
    if (failure == 0)
        failure = write_trace(words, mutant, error);
    if (failure != 0)
        return failure;
    if (!find_subject(words, mutant)) {
        snprintf(error, OUTPUT_ERROR_MAX, "cannot tell which folder this program is in");
        return ENOENT;
    }
    add(words, "mallet");
    if (plan->is_check)
        add_check(words, plan);
    else
        add_meant(words, plan, mutant, catch);
    if (!plan->is_check) {
        snprintf(words->findings, PATH_MAX, "%.3000s/%s.findings", words->folder, words->list[1]);
        ADD(words, "--findings", words->findings);
    }
    return 0;
}

/* ---- what it found ---- */

static void keep_kill(struct mutant_score *score, const char *step, const struct finding *finding)
{
    bool is_known = false;
    size_t i;
    json_t *name;
    json_array_foreach(score->steps, i, name) is_known |=
        strcmp(json_string_value(name), step) == 0;
    if (!is_known)
        json_array_append_new(score->steps, json_string(step));
    if (score->is_killed)
        return;
    score->is_killed = true;
    snprintf(score->step, sizeof score->step, "%s", step);
    snprintf(score->check, sizeof score->check, "%s", finding->check);
    snprintf(score->site, sizeof score->site, "%s", finding->site);
    snprintf(score->sentence, sizeof score->sentence, "%.255s", finding->sentence);
}

/* The lines of one step so far; path is FOLDER/STEP.findings. */
static void read_lines(struct mutant_score *score, const char *path)
{
    char step[64];
    size_t count = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    struct finding *findings = finding_read_lines(file, &count);
    fclose(file);
    snprintf(step, sizeof step, "%s", strrchr(path, '/') + 1);
    step[strcspn(step, ".")] = '\0';
    for (size_t i = 0; i < count; i++)
        if (mutant_expects(score->mutant, findings[i].check) && finding_note(&findings[i]) == NULL)
            keep_kill(score, step, &findings[i]);
    finding_list_done(findings, count);
}

static void read_all_lines(struct mutant_score *score, const struct words *words)
{
    char pattern[PATH_MAX];
    glob_t files;
    snprintf(pattern, sizeof pattern, "%.3000s/*.findings", words->folder);
    if (glob(pattern, 0, NULL, &files) != 0)
        return;
    for (size_t i = 0; i < files.gl_pathc; i++)
        read_lines(score, files.gl_pathv[i]);
    globfree(&files);
}

/* An entry of the page: its headline and everything that showed it. */
static void read_entry(struct mutant_score *score, const json_t *entry)
{
    size_t i;
    json_t *member;
    json_array_foreach(json_object_get(entry, "also"), i, member)
    {
        struct finding finding;
        const char *step = json_string_value(json_object_get(member, "step"));
        if (step == NULL || !finding_from_json(&finding, member))
            continue;
        if (mutant_expects(score->mutant, finding.check))
            keep_kill(score, step, &finding);
        finding_done(&finding);
    }
}

static void read_page(struct mutant_score *score, const struct words *words)
{
    char path[PATH_MAX];
    size_t i;
    json_t *entry;
    snprintf(path, sizeof path, "%.3000s/check.json", words->folder);
    json_t *document = json_load_file(path, 0, NULL), *list = json_object_get(document, "findings");
    json_array_foreach(list, i, entry) read_entry(score, entry);
    score->findings = json_array_size(list);
    score->notes = json_array_size(json_object_get(document, "notes"));
    json_decref(document);
}

/* ---- the run ---- */

static double children_cpu(void)
{
    struct rusage usage;
    getrusage(RUSAGE_CHILDREN, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

/* FOLDER/raw has a file CHECK-SITE.trace for each class that the engine of a campaign saw. */
static bool has_raw_trace(const struct mutant_score *score, const struct words *words)
{
    char pattern[PATH_MAX], check[64];
    bool has = false;
    glob_t files;
    snprintf(pattern, sizeof pattern, "%.3000s/raw/*.trace", words->folder);
    if (glob(pattern, 0, NULL, &files) != 0)
        return false;
    for (size_t i = 0; i < files.gl_pathc; i++) {
        const char *name = strrchr(files.gl_pathv[i], '/') + 1;
        snprintf(check, sizeof check, "%.*s", (int)strcspn(name, "-"), name);
        has |= mutant_expects(score->mutant, check);
    }
    globfree(&files);
    return has;
}

static void watch(struct mutant_score *score, const struct mutant_plan *plan, struct words *words,
                  struct process *process)
{
    struct process *const list[] = {process};
    score->status = -1;
    while (!process_has_ended(process)) {
        process_poll(list, 1, POLL_MS);
        if (!plan->is_whole)
            read_all_lines(score, words);
        if (score->is_killed || cli_is_interrupted()) {
            process_stop(process, SIGINT, GRACE_MS);
            return;
        }
        if (!plan->is_whole && !words->is_cut && has_raw_trace(score, words)) {
            words->is_cut = true;
            process_signal(process, SIGINT);
        }
    }
    score->status = WIFEXITED(process->status) ? WEXITSTATUS(process->status) : EXIT_INTERNAL;
}

static void judge(struct mutant_score *score, const struct mutant_plan *plan,
                  const struct words *words)
{
    if (plan->is_check && plan->is_whole)
        read_page(score, words);
    else
        read_all_lines(score, words);
    if (is_refused(score->mutant) && score->status == EXIT_REFUSED) {
        const struct finding refused = {.check = "refused", .site = "load"};
        keep_kill(score, "load", &refused);
    }
}

/* It could not do its work, which is no result: the engine is not built, say. */
static bool is_useless(const struct mutant_score *score)
{
    return (score->status == EXIT_REFUSED && !score->is_killed) || score->status == EXIT_INTERNAL;
}

static int run_words(const struct mutant_plan *plan, struct words *words,
                     struct mutant_score *score, char error[OUTPUT_ERROR_MAX])
{
    struct process process;
    const char *const variables[] = {words->variable, NULL};
    const struct process_plan spawn = {.program = "/proc/self/exe",
                                       .arguments = words->list,
                                       .keeps_environment = true,
                                       .variables = variables,
                                       .output = PROCESS_OUTPUT_LINE};
    double cpu = children_cpu();
    uint64_t started = clock_now_ns();
    int failure = process_spawn(&spawn, &process);
    if (failure != 0) {
        snprintf(error, OUTPUT_ERROR_MAX, "cannot start mallet: %s", strerror(failure));
        return failure;
    }
    watch(score, plan, words, &process);
    process_release(&process);
    score->seconds += (double)(clock_now_ns() - started) * 1e-9;
    score->cpu_seconds += children_cpu() - cpu;
    judge(score, plan, words);
    if (!is_useless(score))
        return 0;
    snprintf(error, OUTPUT_ERROR_MAX, "`mallet %s` ended with status %d: %.180s", words->list[1],
             score->status, process.line);
    return EPROTO;
}

/* The campaign whose engine was stopped in vain, in the time that is left. */
static int go_on(const struct mutant_plan *plan, struct words *words, struct mutant_score *score,
                 char error[OUTPUT_ERROR_MAX])
{
    unsigned used = (unsigned)score->seconds;
    if (used >= plan->budget)
        return 0;
    snprintf(words->budget, sizeof words->budget, "%u", plan->budget - used);
    return run_words(plan, words, score, error);
}

int mutant_run(const struct mutant_plan *plan, const struct mutant *mutant,
               struct mutant_score *ret_score, char *ret_error, size_t capacity)
{
    struct words words;
    struct mutant_catch catch;
    char error[OUTPUT_ERROR_MAX] = "";
    *ret_score = (struct mutant_score){.mutant = mutant, .steps = json_array()};
    if (mutant_is_beyond(mutant, plan->is_check))
        return 0;
    int failure = fill_words(&words, plan, mutant, &catch, error);
    if (failure == 0)
        failure = run_words(plan, &words, ret_score, error);
    if (failure == 0 && words.is_cut && !ret_score->is_killed && !cli_is_interrupted())
        failure = go_on(plan, &words, ret_score, error);
    ret_score->was_run = failure == 0;
    snprintf(ret_error, capacity, "%s: %s", mutant->id, error);
    return failure;
}

void mutant_score_done(struct mutant_score *score)
{
    json_decref(score->steps);
    *score = (struct mutant_score){0};
}
