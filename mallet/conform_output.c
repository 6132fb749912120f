/* SPDX-License-Identifier: MIT */
/*
 * Each file of a conformance run is complete or absent. Totals and news about the baseline are for
 * people: they go to standard output, or to standard error when the report is there.
 */
#include "mallet/conform_output.h"

#include "harness/cli/output.h"
#include "mallet/command.h"

#include <stdlib.h>
#include <string.h>

int conform_outputs_check(const struct conform_outputs *outputs)
{
    char error[OUTPUT_ERROR_MAX];
    return output_check(outputs->path, error) == 0 ? EXIT_CLEAN : refuse("%s", error);
}

static int write_file(const char *path, int (*write_part)(FILE *, const struct conform_report *),
                      const struct conform_report *report)
{
    struct output output;
    char error[OUTPUT_ERROR_MAX];
    if (output_open(&output, path, error) != 0)
        return refuse("%s", error);
    int result = write_part(output.file, report);
    if (result != 0) {
        output_drop(&output);
        return report_internal_error("cannot make the report: %s", strerror(result));
    }
    return output_close(&output, error) == 0 ? EXIT_CLEAN : refuse("%s", error);
}

static int write_program(const char *folder, const struct report_column *column,
                         const struct clause_result *result)
{
    struct output output;
    char path[PATH_MAX], error[OUTPUT_ERROR_MAX];
    report_program_path(folder, column, result, path);
    char *text = report_make_program(column, result);
    if (text == NULL)
        return report_internal_error("cannot make a C program for %s", result->clause->id);
    int failed = output_open(&output, path, error);
    if (failed == 0) {
        fputs(text, output.file);
        failed = output_close(&output, error);
    }
    free(text);
    return failed == 0 ? EXIT_CLEAN : refuse("%s", error);
}

static int write_programs(const char *folder, const struct conform_report *report)
{
    int status = EXIT_CLEAN;
    for (size_t i = 0; i < report->count; i++)
        for (size_t j = 0; status == EXIT_CLEAN && j < report->columns[i].results.count; j++)
            if (report_is_bad(&report->columns[i].results.results[j]))
                status = write_program(folder, &report->columns[i],
                                       &report->columns[i].results.results[j]);
    return status;
}

static void write_totals(FILE *out, const struct conform_outputs *outputs,
                         const struct conform_report *report, const struct baseline *baseline)
{
    char news[REPORT_NEWS_MAX];
    bool are_in_report = outputs->path == NULL && outputs->format->write == report_write_table;
    if (!are_in_report)
        report_write_totals(out, report, "");
    for (size_t i = 0; i < baseline->count; i++)
        if (report_is_outdated(report, &baseline->entries[i], news))
            fprintf(out, "%s\n", news);
}

int conform_outputs_write(const struct conform_outputs *outputs,
                          const struct conform_report *report, const struct baseline *baseline)
{
    bool is_stdout_free = outputs->path != NULL || outputs->format->write == report_write_table;
    int status = write_file(outputs->path, outputs->format->write, report);
    if (status == EXIT_CLEAN && outputs->programs != NULL)
        status = write_programs(outputs->programs, report);
    if (status == EXIT_CLEAN && !cli_is_unread())
        write_totals(is_stdout_free ? stdout : stderr, outputs, report, baseline);
    return status;
}
