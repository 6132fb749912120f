/* SPDX-License-Identifier: MIT */
/*
 * corpus: what people do with folders of traces. `merge` runs every trace of several corpora once,
 * in a process of its own with fixed addresses, and writes as text the few that together show all
 * behaviour and take all edges that the subject counts (cover.h).
 *
 *     corpora of people: text     ─┐                                     ┌─ the file as it is
 *     of libFuzzer, AFL++: bytes  ─┴→ run once → features → set cover  ──┴─ text, with its origin
 */
#include "harness/base/random.h"
#include "harness/base/text.h"
#include "harness/cli/output.h"
#include "harness/executor/executor.h"
#include "mallet/command.h"
#include "mallet/cover.h"
#include "mallet/file_list.h"
#include "mallet/text_file.h"
#include "mallet/trace_file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

enum { TRIES_MAX = 1000 };

struct corpus_file {
    const char *path;
    uint64_t hash;   /* of its ops */
    bool is_written; /* by a person, as text: copied as it is */
};

struct merge {
    struct cli cli;
    const char **paths;
    size_t path_count;
    bool has_action;
    const char *output;

    struct file_list list;
    struct executor *executor;
    struct corpus_file *files; /* those that ran clean */
    struct cover_trace *traces;
    size_t count;
    size_t empty, features;
    json_t *left_out, *kept; /* of the document: traces that the subject fails, files written */
};

/* ---- running ---- */

static uint64_t hash_ops(const struct trace *trace)
{
    uint64_t hash = trace->count;
    char line[TRACE_LINE_MAX];
    for (size_t i = 0; i < trace->count; i++) {
        size_t length = trace_format_op(&trace->ops[i], line);
        for (size_t j = 0; j < length; j++)
            hash = random_mix(hash + (unsigned char)line[j] + 1);
    }
    return hash;
}

/* Returns 0 or an exit status. */
static int keep_features(struct merge *merge, const char *path, const struct trace *trace,
                         const uint8_t *counters)
{
    static uint32_t features[RUN_COUNTERS];
    struct cover_trace *kept = &merge->traces[merge->count];
    struct corpus_file *file = &merge->files[merge->count];
    size_t count = cover_features(counters, RUN_COUNTERS, features);
    *kept = (struct cover_trace){.feature_count = count, .ops = trace->count};
    kept->features = malloc((count + 1) * sizeof *features);
    if (kept->features == NULL)
        return report_internal_error("no memory");
    memcpy(kept->features, features, count * sizeof *features);
    kept->is_named = trace_file_is_written(path);
    *file =
        (struct corpus_file){.path = path, .hash = hash_ops(trace), .is_written = kept->is_named};
    merge->count++;
    return EXIT_CLEAN;
}

/* Returns 0 or an exit status. */
static int append(json_t *list, json_t *entry)
{
    return json_array_append_new(list, entry) == 0 ? EXIT_CLEAN
                                                   : report_internal_error("no memory");
}

static int leave_out(struct merge *merge, const char *path, const struct verdict *verdict)
{
    const char *check = check_name(verdict->check);
    cli_hide_progress();
    fprintf(stderr, "left out: %s: %s: %s\n", path, check, verdict->sentence);
    return append(merge->left_out,
                  json_pack("{s:o, s:s, s:o}", "file", cli_json_text(path), "check", check,
                            "sentence", cli_json_text(verdict->sentence)));
}

static int run_trace_of(struct merge *merge, const char *path, const struct trace *trace)
{
    struct execution execution;
    char error[SUBJECT_ERROR_MAX];
    struct run_options options = executor_thorough(merge->executor, trace->count);
    options.rounds = 0;
    int result = executor_run(merge->executor, trace, &options, true, &execution, error);
    if (result == ECANCELED)
        return EXIT_INTERRUPTED;
    if (result != 0)
        return report_internal_error("%s: %s", path, error);
    if (execution.is_clean)
        return keep_features(merge, path, trace, execution.features);
    return leave_out(merge, path, &execution.verdict);
}

/* An engine also keeps inputs that decode to no op. */
static int run_file(struct merge *merge, const char *path)
{
    struct trace trace;
    char error[TRACE_FILE_ERROR_MAX];
    int result = trace_file_read(path, &trace, error);
    if (result == EINVAL && trace_file_is_input(path)) {
        merge->empty++;
        return EXIT_CLEAN;
    }
    if (result != 0)
        return refuse("%s", error);
    int status = run_trace_of(merge, path, &trace);
    trace_file_done(&trace);
    return status;
}

static int run_files(struct merge *merge)
{
    int status = EXIT_CLEAN;
    for (size_t i = 0; i < merge->list.count && status == EXIT_CLEAN; i++) {
        cli_show_progress("%zu of %zu traces run", i, merge->list.count);
        status = cli_is_interrupted() ? EXIT_INTERRUPTED : run_file(merge, merge->list.paths[i]);
    }
    cli_hide_progress();
    return status;
}

/* The same addresses in every run, so that every run gives the same features. It takes effect in
 * the programs that this one starts. */
static void fix_addresses(void)
{
    int now = personality(0xffffffff);
    if (now >= 0)
        (void)personality((unsigned long)now | ADDR_NO_RANDOMIZE);
}

/* ---- writing ---- */

/* FOLDER/NAME.trace, where no file has that name yet: else NAME-2, and so on. */
static int open_named(struct merge *merge, const struct corpus_file *file, char ret_path[PATH_MAX],
                      struct output *ret_output, char error[OUTPUT_ERROR_MAX])
{
    const char *slash = strrchr(file->path, '/');
    char name[NAME_MAX], suffix[16] = "";
    if (file->is_written)
        snprintf(name, sizeof name, "%s", slash != NULL ? slash + 1 : file->path);
    else
        snprintf(name, sizeof name, "input-%016llx", (unsigned long long)file->hash);
    char *end = strstr(name, ".trace");
    if (end != NULL)
        *end = '\0';
    for (unsigned i = 2; i < TRIES_MAX; i++) {
        snprintf(ret_path, PATH_MAX, "%.3000s/%s%s.trace", merge->output, name, suffix);
        if (access(ret_path, F_OK) != 0)
            break;
        snprintf(suffix, sizeof suffix, "-%u", i);
    }
    return output_open(ret_output, ret_path, error);
}

static int write_content(struct merge *merge, size_t index, FILE *out,
                         char error[TRACE_FILE_ERROR_MAX])
{
    const struct corpus_file *file = &merge->files[index];
    struct trace trace;
    if (file->is_written) {
        char *text = text_file_read(file->path);
        if (text == NULL) {
            int reason = errno;
            snprintf(error, TRACE_FILE_ERROR_MAX, "cannot read %.160s: %s", file->path,
                     strerror(reason));
            return reason;
        }
        fputs(text, out);
        free(text);
        return 0;
    }
    char path[PATH_MAX];
    int result = trace_file_read(file->path, &trace, error);
    if (result != 0)
        return result;
    text_copy_printable(path, sizeof path, file->path);
    fprintf(out, "# found: %s\n# kept: %zu features of a run of %s that no trace before it had\n",
            path, merge->traces[index].gain, merge->cli.subject);
    trace_write_text(out, &trace);
    trace_file_done(&trace);
    return 0;
}

static int write_file(struct merge *merge, size_t index)
{
    char path[PATH_MAX], error[TRACE_FILE_ERROR_MAX];
    struct output output;
    int result = open_named(merge, &merge->files[index], path, &output, error);
    if (result != 0)
        return refuse("%s", error);
    result = write_content(merge, index, output.file, error);
    if (result != 0)
        output_drop(&output);
    else
        result = output_close(&output, error);
    if (result != 0)
        return refuse("%s", error);
    return append(merge->kept, json_pack("{s:o, s:o, s:I}", "file", cli_json_text(path), "found",
                                         cli_json_text(merge->files[index].path), "features",
                                         (json_int_t)merge->traces[index].gain));
}

static int write_chosen(struct merge *merge)
{
    char error[OUTPUT_ERROR_MAX];
    size_t *chosen = calloc(merge->count + 1, sizeof *chosen);
    size_t count = 0;
    int status = EXIT_CLEAN;
    if (chosen == NULL ||
        cover_choose(merge->traces, merge->count, RUN_COUNTERS * COVER_CLASSES, chosen, &count))
        status = report_internal_error("no memory");
    else if (output_make_folder(merge->output, error) != 0)
        status = refuse("%s", error);
    for (size_t i = 0; i < count && status == EXIT_CLEAN; i++) {
        merge->features += merge->traces[chosen[i]].gain;
        status = write_file(merge, chosen[i]);
    }
    free(chosen);
    return status;
}

static void print_sums(const struct merge *merge)
{
    size_t broken = json_array_size(merge->left_out);
    printf("%s: %zu of %zu traces have all %zu features\n", merge->output,
           json_array_size(merge->kept), merge->list.count, merge->features);
    if (merge->empty > 0)
        printf("%zu input%s had no op\n", merge->empty, text_plural(merge->empty));
    if (broken > 0)
        printf("%zu trace%s left out: %s fails on them\n", broken, text_plural(broken),
               merge->cli.subject);
}

static int print_json(const struct merge *merge)
{
    return cli_print_json(json_pack(
        "{s:o, s:o, s:I, s:I, s:I, s:O, s:O}", "subject", cli_json_text(merge->cli.subject),
        "output", cli_json_text(merge->output), "traces", (json_int_t)merge->list.count, "empty",
        (json_int_t)merge->empty, "features", (json_int_t)merge->features, "kept", merge->kept,
        "left_out", merge->left_out));
}

/* ---- the request ---- */

/* What is there may be what a person wrote: nothing is merged into it. */
static int check_output(const struct merge *merge)
{
    DIR *folder = opendir(merge->output);
    bool has_any = false;
    for (struct dirent *entry = folder != NULL ? readdir(folder) : NULL; entry != NULL && !has_any;
         entry = readdir(folder))
        has_any = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    if (folder != NULL)
        closedir(folder);
    return has_any ? refuse("--output: %s is not empty", merge->output) : EXIT_CLEAN;
}

static int list_files(struct merge *merge)
{
    char error[FILE_LIST_ERROR_MAX];
    merge->list.takes_inputs = true;
    for (size_t i = 0; i < merge->path_count; i++) {
        if (strcmp(merge->paths[i], "-") == 0)
            return refuse("standard input has no name: give files and folders");
        if (file_list_add(&merge->list, merge->paths[i], error) != 0)
            return refuse("%s", error);
    }
    merge->files = calloc(merge->list.count + 1, sizeof *merge->files);
    merge->traces = calloc(merge->list.count + 1, sizeof *merge->traces);
    merge->left_out = json_array();
    merge->kept = json_array();
    return merge->files != NULL && merge->traces != NULL && merge->left_out != NULL &&
                   merge->kept != NULL
               ? EXIT_CLEAN
               : report_internal_error("no memory");
}

static int run_subject(struct merge *merge)
{
    char fuzzed[PATH_MAX], error[SUBJECT_ERROR_MAX];
    const char *subject = merge->cli.subject;
    const struct executor_options options = {.has_capacity = merge->cli.has_capacity,
                                             .capacity = merge->cli.capacity,
                                             .is_cancelled = cli_is_interrupted};
    fix_addresses();
    if (executor_start(&merge->executor, bring_find_fuzzed(subject, fuzzed) ? fuzzed : subject,
                       &options, error) != 0)
        return refuse("%s", error);
    cli_catch_interrupts();
    int status = run_files(merge);
    executor_stop(merge->executor);
    return status;
}

static void clean_up(struct merge *merge)
{
    for (size_t i = 0; i < merge->count; i++)
        free(merge->traces[i].features);
    free(merge->traces);
    free(merge->files);
    file_list_done(&merge->list);
    json_decref(merge->left_out);
    json_decref(merge->kept);
}

static int merge_corpora(struct merge *merge)
{
    int status = check_output(merge);
    if (status == EXIT_CLEAN)
        status = list_files(merge);
    if (status == EXIT_CLEAN)
        status = run_subject(merge);
    if (status == EXIT_CLEAN && merge->count == 0)
        status =
            refuse("%s runs none of the %zu traces clean", merge->cli.subject, merge->list.count);
    if (status == EXIT_CLEAN)
        status = write_chosen(merge);
    if (status == EXIT_CLEAN && merge->cli.as_json)
        status = print_json(merge);
    else if (status == EXIT_CLEAN)
        print_sums(merge);
    clean_up(merge);
    return status;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct merge *merge = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        if (!merge->has_action) {
            if (strcmp(value, "merge") != 0)
                argp_error(state, "unknown action `%s`; there is: merge", value);
            merge->has_action = true;
            return 0;
        }
        if (merge->cli.subject == NULL)
            return ARGP_ERR_UNKNOWN;
        merge->paths[merge->path_count++] = value;
        return 0;
    case ARGP_KEY_END:
        if (!merge->has_action)
            argp_error(state, "the action is missing; there is: merge");
        if (merge->path_count == 0 && merge->cli.subject != NULL)
            argp_error(state, "FILE or DIR is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int command_corpus(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .takes = CLI_JSON | CLI_OUTPUT_FOLDER | CLI_CAPACITY,
        .subjects_min = 1,
        .subjects_max = 1,
        .is_fuzzed = true,
        .output_text = "Write the traces to DIR, which must be empty or new (default: "
                       "mallet-report/corpus)"};
    static const struct argp argp = {
        .parser = parse_option,
        .args_doc = "merge SUBJECT FILE|DIR…",
        .doc = "Merge corpora: run each trace once on SUBJECT, and write the few that together "
               "show all behaviour of all of them, as text. In a folder every *.trace and *.bin "
               "file is taken, and what libFuzzer and AFL++ keep, subfolders included. A trace "
               "that a person wrote keeps its name and its comments, and wins against others "
               "that show as much; one of an engine says where it is from. The same files give "
               "the same corpus, in whatever time. Traces on which SUBJECT fails are left out.\v"
               "Behaviour is what guides a fuzz campaign: where blocks come from and how far "
               "their neighbours are, and the edges of a subject that is given as a C source."};
    static struct merge merge;
    merge = (struct merge){.paths = calloc((size_t)argc, sizeof *merge.paths)};
    if (merge.paths == NULL)
        return report_internal_error("no memory");
    cli_parse(&spec, &argp, argc, argv, &merge.cli, &merge);
    merge.output = merge.cli.output != NULL ? merge.cli.output : "mallet-report/corpus";
    int status = merge_corpora(&merge);
    free(merge.paths);
    return status;
}
