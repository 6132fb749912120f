/* SPDX-License-Identifier: MIT */
/*
 * The page is report/page.html. A line `<!--include NAME-->` of it stands for the file NAME of
 * report/, `<!--data-->` for what was gathered. A file that mallet was built without, the plotting
 * library, is left out: the page then shows its numbers as tables.
 */
#include "harness/cli/cli.h"
#include "harness/cli/output.h"
#include "harness/program/embedded.h"
#include "harness/run/check.h"
#include "mallet/site.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *describe_checks(void)
{
    json_t *checks = json_array();
    for (unsigned i = 0; i < CHECK_COUNT; i++)
        json_array_append_new(checks,
                              json_pack("{s:s, s:s, s:s}", "check", check_name((enum check)i),
                                        "asserts", check_asserts((enum check)i), "severity",
                                        severity_name(check_severity((enum check)i))));
    return checks;
}

/* To be freed; NULL: no memory. */
static char *make_data(const struct site *site)
{
    json_t *data = cli_begin_document(json_pack(
        "{s:O, s:O, s:o, s:s?, s:o}", "documents", site->documents, "trend", site->trend,
        "coverage", site_sum_coverage(site), "lines", site->lines, "checks", describe_checks()));
    char *text = data != NULL ? json_dumps(data, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    json_decref(data);
    return text;
}

/* No text in it may end the element that it stands in. */
static void write_data(FILE *out, const char *text)
{
    for (; *text != '\0'; text++)
        if (*text == '<')
            fputs("\\u003c", out);
        else
            fputc(*text, out);
}

static void write_include(FILE *out, const char *name, size_t length)
{
    char path[128];
    snprintf(path, sizeof path, "report/%.*s", (int)length, name);
    const struct embedded_file *part = embedded_find(path);
    if (part != NULL)
        fwrite(part->start, 1, (size_t)(part->end - part->start), out);
}

static void write_line(FILE *out, const char *line, size_t length, const char *data)
{
    static const char include[] = "<!--include ", place[] = "<!--data-->";
    if (strncmp(line, include, sizeof include - 1) == 0)
        write_include(out, line + sizeof include - 1, length - (sizeof include - 1) - 3);
    else if (strncmp(line, place, sizeof place - 1) == 0)
        write_data(out, data);
    else
        fwrite(line, 1, length, out);
    fputc('\n', out);
}

static void write_page(FILE *out, const char *data)
{
    const struct embedded_file *page = embedded_find("report/page.html");
    for (const char *line = page->start; line < page->end;) {
        const char *end = memchr(line, '\n', (size_t)(page->end - line));
        end = end != NULL ? end : page->end;
        write_line(out, line, (size_t)(end - line), data);
        line = end + 1;
    }
}

int site_write(const struct site *site, const char *folder, char error[SITE_ERROR_MAX])
{
    char path[PATH_MAX];
    struct output output;
    snprintf(path, sizeof path, "%.3000s/index.html", folder);
    char *data = make_data(site);
    if (data == NULL) {
        snprintf(error, SITE_ERROR_MAX, "no memory for the page");
        return ENOMEM;
    }
    int result = output_make_folder(folder, error);
    if (result == 0)
        result = output_open(&output, path, error);
    if (result == 0) {
        write_page(output.file, data);
        result = output_close(&output, error);
    }
    free(data);
    return result;
}

int site_write_beside(const char *folder, char error[SITE_ERROR_MAX])
{
    struct site site = {0};
    int result = site_gather(&site, folder, error);
    if (result == 0)
        result = site_write(&site, folder, error);
    site_done(&site);
    return result;
}
