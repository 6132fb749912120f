/* SPDX-License-Identifier: MIT */
/* report: one page out of what the other commands wrote. site.h makes it. */
#include "mallet/command.h"
#include "mallet/site.h"

#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

enum { FOLDERS_MAX = 64, KEY_LINES = 0x100 };

struct request {
    struct cli cli;
    const char *folders[FOLDERS_MAX];
    size_t count;
    const char *lines;
};

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct request *request = state->input;
    switch (key) {
    case ARGP_KEY_ARG:
        if (request->count == FOLDERS_MAX)
            argp_error(state, "at most %d DIRs, `%s` is one more", FOLDERS_MAX, value);
        request->folders[request->count++] = value;
        return 0;
    case KEY_LINES:
        request->lines = value;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "DIR is missing");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* A link that leads nowhere is refused. */
static int check_lines(const struct request *request, const char *output)
{
    char path[PATH_MAX];
    struct stat status;
    if (request->lines == NULL)
        return EXIT_CLEAN;
    snprintf(path, sizeof path, "%.2000s/%.2000s", output, request->lines);
    if (stat(path, &status) == 0 && S_ISREG(status.st_mode))
        return EXIT_CLEAN;
    return refuse("--lines: there is no file %s", path);
}

static int write_report(const struct request *request, const char *output)
{
    char error[SITE_ERROR_MAX];
    struct site site = {.lines = request->lines};
    int result = 0;
    for (size_t i = 0; i < request->count && result == 0; i++)
        result = site_gather(&site, request->folders[i], error);
    if (result == 0)
        result = site_write(&site, output, error);
    site_done(&site);
    if (result != 0)
        return refuse("%s", error);
    printf("%s/index.html\n", output);
    return EXIT_CLEAN;
}

int command_report(int argc, char **argv)
{
    static const struct cli_spec spec = {
        .takes = CLI_OUTPUT_FOLDER,
        .output_text = "Write the page to DIR/index.html (default: mallet-report/site)"};
    static const struct argp_option options[] = {
        {"lines", KEY_LINES, "PAGE", 0,
         "Link to PAGE, relative to DIR, for coverage line by line, such as genhtml makes", 0},
        {0}};
    static const struct argp argp = {
        .options = options,
        .parser = parse_option,
        .args_doc = "DIR…",
        .doc = "Write one page about everything that is found in the folders: what `mallet check` "
               "and `mallet fuzz` left there, what `conform`, `mutants`, `bench` and other "
               "commands printed with --json (files *.json), coverage as lcov data (*.info, each a "
               "source named by its file), and numbers over commits (trend.tsv: date, commit, "
               "chart, series, value). The page needs no network and no server.\v"
               "Two `conform` documents of one subject can be compared on the page."};
    static struct request request;
    cli_parse(&spec, &argp, argc, argv, &request.cli, &request);
    const char *output = request.cli.output != NULL ? request.cli.output : "mallet-report/site";
    int status = check_lines(&request, output);
    return status == EXIT_CLEAN ? write_report(&request, output) : status;
}
