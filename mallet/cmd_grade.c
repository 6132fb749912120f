/* SPDX-License-Identifier: MIT */
/*
 * grade: `mallet check` on each submission of a folder, in a sandbox (sandbox.h), and points by a
 * rubric (rubric.h).
 *
 *     DIR/ann.c, DIR/bob/FILE ─ sandbox: mallet check ─→ OUTPUT/ann.c/check/check.json
 *                                                          └→ table, OUTPUT/grade.json
 *
 * A finding loses the points of each criterion that names it; a note loses none.
 */
#include "harness/cli/output.h"
#include "harness/process/process.h"
#include "mallet/check_run.h"
#include "mallet/command.h"
#include "mallet/rubric.h"
#include "mallet/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEY_NO_SANDBOX = 1000, EXIT_NO_SANDBOX = 125, SUBMISSIONS_MAX = 1024, WALL_FACTOR = 8 };

struct options {
    struct cli cli;
    const char *rubric, *folder;
    bool has_no_sandbox;
};

struct submission {
    char *name; /* in the folder */
    char path[PATH_MAX];
    char sentence[256]; /* why it could not be checked; "" */
    json_t *document;   /* its check.json; NULL: it could not be checked */
};

struct grade {
    const struct options *options;
    struct rubric rubric;
    char output[PATH_MAX]; /* absolute */
    struct submission list[SUBMISSIONS_MAX];
    size_t count, incomplete;
};

/* ---- submissions ---- */

static bool is_subject(const char *name)
{
    static const char *const ends[] = {".c", ".o", ".a", ".so"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (length > strlen(ends[i]) && strcmp(name + length - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

/* A file that can be a subject, or a folder with the file of the rubric. */
static bool find_submission(const struct grade *grade, const char *name, char ret_path[PATH_MAX])
{
    char path[PATH_MAX];
    struct stat status;
    snprintf(path, sizeof path, "%.2000s/%.255s", grade->options->folder, name);
    if (name[0] == '.' || stat(path, &status) != 0)
        return false;
    if (S_ISDIR(status.st_mode) && grade->rubric.file != NULL)
        snprintf(path, sizeof path, "%.2000s/%.255s/%.255s", grade->options->folder, name,
                 grade->rubric.file);
    else if (!S_ISREG(status.st_mode) || !is_subject(name))
        return false;
    if (realpath(path, ret_path) == NULL)
        snprintf(ret_path, PATH_MAX, "%s", path); /* its check says that it is not there */
    return true;
}

static int find_submissions(struct grade *grade)
{
    struct dirent **entries;
    const char *folder = grade->options->folder;
    int found = scandir(folder, &entries, NULL, alphasort);
    if (found < 0)
        return refuse("%s: %s", folder, strerror(errno));
    for (int i = 0; i < found; i++) {
        struct submission *submission = &grade->list[grade->count];
        if (grade->count < SUBMISSIONS_MAX &&
            find_submission(grade, entries[i]->d_name, submission->path)) {
            submission->name = strdup(entries[i]->d_name);
            grade->count += submission->name != NULL;
        }
        free(entries[i]);
    }
    free(entries);
    if (grade->count == 0)
        return refuse("%s: no submission in it: .c, .o, .a, .so%s%s", folder,
                      grade->rubric.file != NULL ? ", or folders with " : "",
                      grade->rubric.file != NULL ? grade->rubric.file : "");
    return EXIT_CLEAN;
}

/* ---- one check ---- */

struct check_words {
    const char *folder;
    const char *list[RUBRIC_WORDS_MAX + 16];
    bool has_no_sandbox;
};

static void run_check(void *context)
{
    const struct check_words *words = context;
    int error = words->has_no_sandbox ? chdir(words->folder) : sandbox_enter(words->folder);
    if (error != 0)
        _exit(EXIT_NO_SANDBOX);
    setenv("TMPDIR", words->folder, 1);
    execv("/proc/self/exe", (char **)(uintptr_t)words->list);
    _exit(EXIT_INTERNAL);
}

static void fill_words(const struct grade *grade, const struct submission *submission,
                       const char *limit, const char *output, struct check_words *words)
{
    size_t count = 0;
    const char *const first[] = {"mallet", "check", "--json", "--limit", limit, "--output", output};
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        words->list[count++] = first[i];
    for (size_t i = 0; i < grade->rubric.options.count; i++)
        words->list[count++] = grade->rubric.options.list[i];
    words->list[count++] = submission->path;
    words->list[count] = NULL;
}

/* Why nothing was checked: what mallet said. */
static void explain(struct submission *submission, struct process *process)
{
    char line[256] = "";
    process_take_line(process, line, sizeof line);
    if (process->is_timed_out)
        snprintf(submission->sentence, sizeof submission->sentence, "the time was over");
    else
        snprintf(submission->sentence, sizeof submission->sentence, "%s",
                 strncmp(line, "mallet: ", 8) == 0 ? line + 8 : line);
}

static int check_submission(struct grade *grade, struct submission *submission)
{
    char folder[PATH_MAX], output[PATH_MAX], path[PATH_MAX], limit[32], error[OUTPUT_ERROR_MAX];
    struct check_words words = {.folder = folder, .has_no_sandbox = grade->options->has_no_sandbox};
    struct process process;
    snprintf(folder, sizeof folder, "%.2000s/%.255s", grade->output, submission->name);
    snprintf(output, sizeof output, "%.2300s/check", folder);
    snprintf(path, sizeof path, "%.2300s/check.json", output);
    const unsigned seconds = (unsigned)(grade->rubric.limit * check_slowness());
    snprintf(limit, sizeof limit, "%us", seconds);
    if (output_make_folder(folder, error) != 0)
        return refuse("--output: %s", error);
    unlink(path);
    fill_words(grade, submission, limit, output, &words);
    const struct process_plan plan = {.body = run_check,
                                      .context = &words,
                                      .keeps_environment = true,
                                      .output = PROCESS_OUTPUT_LINE,
                                      .wall_limit_ms = WALL_FACTOR * 1000 * seconds,
                                      .is_cancelled = cli_is_interrupted};
    if (process_run(&plan, &process) != 0)
        return report_internal_error("no process can be started");
    if (WIFEXITED(process.status) && WEXITSTATUS(process.status) == EXIT_NO_SANDBOX)
        return refuse("this system lets no process have a network and mounts of its own: "
                      "--no-sandbox runs the submissions without that");
    submission->document = json_load_file(path, 0, NULL);
    if (submission->document == NULL)
        explain(submission, &process);
    else if (!json_is_true(json_object_get(submission->document, "complete")))
        grade->incomplete++;
    return EXIT_CLEAN;
}

/* ---- points ---- */

static void add_loss(json_t *lost, const struct rubric_criterion *criterion, const json_t *finding)
{
    const char *check = json_string_value(json_object_get(finding, "check"));
    if (check == NULL || !rubric_has(criterion, check))
        return;
    json_array_append_new(lost, json_pack("{s:s, s:O?, s:O?}", "check", check, "site",
                                          json_object_get(finding, "site"), "sentence",
                                          json_object_get(finding, "sentence")));
}

/* Whether a step of the check did nothing at all: its silence earns nothing. */
static bool is_untested(const struct submission *submission, const char *step)
{
    size_t i;
    const json_t *line;
    json_array_foreach(json_object_get(submission->document, "steps"), i, line)
    {
        const char *name = json_string_value(json_object_get(line, "step"));
        if (name != NULL && strcmp(name, step) == 0)
            return json_integer_value(json_object_get(line, "done")) == 0;
    }
    return true;
}

/* What loses the points of a criterion: an array, empty if nothing does. */
static json_t *find_losses(const struct submission *submission,
                           const struct rubric_criterion *criterion)
{
    json_t *lost = json_array();
    size_t i, j;
    const json_t *finding, *member;
    if (submission->document == NULL)
        json_array_append_new(lost, json_pack("{s:s}", "sentence", submission->sentence));
    static const char *const steps[] = {"pass", "clauses"};
    for (i = 0; submission->document != NULL && i < sizeof steps / sizeof steps[0]; i++)
        if (rubric_needs(criterion, steps[i]) && is_untested(submission, steps[i]))
            json_array_append_new(lost, json_pack("{s:s++}", "sentence", "not tested: the step ",
                                                  steps[i], " did nothing"));
    json_array_foreach(json_object_get(submission->document, "findings"), i, finding)
    {
        add_loss(lost, criterion, finding);
        json_array_foreach(json_object_get(finding, "also"), j, member)
            add_loss(lost, criterion, member);
    }
    return lost;
}

static json_t *grade_submission(const struct grade *grade, const struct submission *submission)
{
    json_t *criteria = json_array();
    unsigned points = 0;
    for (size_t i = 0; i < grade->rubric.count; i++) {
        const struct rubric_criterion *criterion = &grade->rubric.criteria[i];
        json_t *lost = find_losses(submission, criterion);
        unsigned got = json_array_size(lost) == 0 ? criterion->points : 0;
        points += got;
        json_array_append_new(criteria, json_pack("{s:s, s:i, s:i, s:o}", "criterion",
                                                  criterion->names.list[0], "points", (int)got,
                                                  "of", (int)criterion->points, "lost_by", lost));
    }
    const json_t *complete = json_object_get(submission->document, "complete");
    return json_pack("{s:s, s:i, s:b, s:b, s:s, s:o}", "submission", submission->name, "points",
                     (int)points, "checked", submission->document != NULL, "complete",
                     json_is_true(complete), "why", submission->sentence, "criteria", criteria);
}

static json_t *make_document(const struct grade *grade)
{
    json_t *list = json_array();
    for (size_t i = 0; i < grade->count; i++)
        json_array_append_new(list, grade_submission(grade, &grade->list[i]));
    return cli_begin_document(json_pack("{s:s, s:i, s:o, s:s}", "title", grade->rubric.title,
                                        "points", (int)grade->rubric.points, "submissions", list,
                                        "output", grade->output));
}

/* ---- the table ---- */

static void print_table(const struct grade *grade, const json_t *document)
{
    size_t i, j;
    const json_t *submission, *criterion;
    printf("%s: %zu submission%s, %u points\n\n%-20s", grade->rubric.title, grade->count,
           grade->count == 1 ? "" : "s", grade->rubric.points, "");
    for (i = 0; i < grade->rubric.count; i++)
        printf(" %*s", 10, grade->rubric.criteria[i].names.list[0]);
    printf("     points\n");
    json_array_foreach(json_object_get(document, "submissions"), i, submission)
    {
        printf("%-20s", grade->list[i].name);
        json_array_foreach(json_object_get(submission, "criteria"), j, criterion)
        {
            size_t width = strlen(grade->rubric.criteria[j].names.list[0]);
            printf(" %*lld", width > 10 ? (int)width : 10,
                   (long long)json_integer_value(json_object_get(criterion, "points")));
        }
        printf(" %5lld/%u%s%s\n",
               (long long)json_integer_value(json_object_get(submission, "points")),
               grade->rubric.points,
               grade->list[i].document == NULL ? "  not checked: "
               : json_is_true(json_object_get(submission, "complete"))
                   ? ""
                   : "  incomplete: a step did less than its minimum",
               grade->list[i].document != NULL || grade->list[i].sentence[0] != '\0'
                   ? grade->list[i].sentence
                   : "interrupted");
    }
    printf("\nWhat was found is in %s/NAME/check, why points were lost in %s/grade.json.\n",
           grade->output, grade->output);
}

static int report(const struct grade *grade)
{
    char path[PATH_MAX], error[OUTPUT_ERROR_MAX];
    struct output output;
    json_t *document = make_document(grade);
    if (document == NULL)
        return report_internal_error("no memory for the grades");
    snprintf(path, sizeof path, "%.3000s/grade.json", grade->output);
    int status = output_open(&output, path, error), written = 0;
    if (status == 0) {
        written = cli_write_json(json_incref(document), output.file);
        status = output_close(&output, error);
    }
    if (status != 0)
        status = refuse("%s", error);
    else if (written != 0)
        status = report_internal_error("%s cannot be encoded", path);
    else if (grade->options->cli.as_json)
        status = cli_print_json(json_incref(document));
    else
        print_table(grade, document);
    json_decref(document);
    return status != EXIT_CLEAN    ? status
           : cli_is_interrupted()  ? EXIT_INTERRUPTED
           : grade->incomplete > 0 ? EXIT_INCOMPLETE
                                   : EXIT_CLEAN;
}

/* ---- the command ---- */

static int grade_all(struct grade *grade)
{
    char error[OUTPUT_ERROR_MAX];
    const char *output = grade->options->cli.output;
    output = output != NULL ? output : "mallet-report/grade";
    int status = find_submissions(grade);
    if (status == EXIT_CLEAN && output_make_folder(output, error) != 0)
        status = refuse("--output: %s", error);
    if (status == EXIT_CLEAN && realpath(output, grade->output) == NULL)
        status = refuse("--output: %s: %s", output, strerror(errno));
    if (status == EXIT_CLEAN && !grade->options->has_no_sandbox && !sandbox_open())
        fprintf(stderr, "mallet: as root, and without control groups, a submission may start any "
                        "number of processes\n");
    cli_catch_interrupts();
    for (size_t i = 0; i < grade->count && status == EXIT_CLEAN && !cli_is_interrupted(); i++) {
        cli_show_progress("%zu of %zu submissions checked; now %s", i, grade->count,
                          grade->list[i].name);
        status = check_submission(grade, &grade->list[i]);
    }
    sandbox_close();
    cli_hide_progress();
    if (status == EXIT_CLEAN)
        status = report(grade);
    for (size_t i = 0; i < grade->count; i++) {
        json_decref(grade->list[i].document);
        free(grade->list[i].name);
    }
    return status;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case KEY_NO_SANDBOX:
        options->has_no_sandbox = true;
        return 0;
    case ARGP_KEY_ARG:
        if (options->folder != NULL)
            argp_error(state, "RUBRIC and DIR only, not also `%s`", value);
        *(options->rubric == NULL ? &options->rubric : &options->folder) = value;
        return 0;
    case ARGP_KEY_END:
        if (options->folder == NULL)
            argp_error(state, "%s is missing", options->rubric == NULL ? "RUBRIC" : "DIR");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int command_grade(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .takes = CLI_JSON | CLI_OUTPUT_FOLDER,
        .output_text = "Write grade.json and a folder for each submission to DIR (default: "
                       "mallet-report/grade)"};
    static const struct argp_option argp_options[] = {
        {"no-sandbox", KEY_NO_SANDBOX, NULL, 0,
         "Run the submissions with your network and your files writable", 0},
        {0},
    };
    static const struct argp argp = {
        .options = argp_options,
        .parser = parse_option,
        .args_doc = "RUBRIC DIR",
        .doc = "Check each submission in DIR (.c, .o, .a, .so, or folders) and give points by "
               "RUBRIC. Submissions run without network, may write to a folder of their own only, "
               "and have limits; what you can read, they can read.\v"
               "Lines of RUBRIC: `title TEXT`, `file NAME` (of a submission that is a folder), "
               "`options WORDS` for mallet check, `limit TIME` for each, `points N builds`, "
               "`points N NAME…` for checks and patterns of clauses that must not fail. Exit "
               "status: 0 graded, 2 the request cannot be carried out, 4 graded, but a check was "
               "incomplete."};
    static struct grade grade;
    struct options options = {0};
    char error[RUBRIC_ERROR_MAX];
    cli_parse(&spec, &argp, argc, argv, &options.cli, &options);
    grade = (struct grade){.options = &options};
    if (rubric_read(&grade.rubric, options.rubric, error) != 0)
        return refuse("%s", error);
    int status = grade_all(&grade);
    rubric_done(&grade.rubric);
    return status;
}
