/* SPDX-License-Identifier: MIT */
/* All three forms are made of the same parts. */
#include "mallet/report.h"

#include "harness/cli/output.h"
#include "mallet/trace_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void report_verdict(FILE *out, const struct finding *finding)
{
    char op[TRACE_LINE_MAX];
    fprintf(out, "  check     %s: %s\n", finding->check, check_asserts(check_find(finding->check)));
    if (finding->op < finding->trace.count) {
        trace_format_op(&finding->trace.ops[finding->op], op);
        fprintf(out, "  at op %-3u %s\n", finding->op, op);
    } else {
        fprintf(out, "  at        after the last op\n");
    }
    fprintf(out, "  what      %s\n", finding->sentence);
    if (finding->output[0] != '\0')
        fprintf(out, "  output    %s\n", finding->output);
}

static void write_indented_trace(FILE *out, const struct trace *trace)
{
    for (size_t i = 0; i < trace->count; i++) {
        char line[TRACE_LINE_MAX];
        trace_format_op(&trace->ops[i], line);
        fprintf(out, "    %s\n", line);
    }
}

static void write_program(FILE *out, const struct finding *finding)
{
    struct verdict verdict = finding_verdict(finding);
    export_program(out, &finding->trace, &verdict);
}

void report_finding(FILE *out, const struct finding *finding)
{
    fprintf(out, "%s breaks `%s` in %s, reproduced %u of %u\n", finding->subject, finding->check,
            finding->site, finding->reproduced, finding->attempts);
    report_verdict(out, finding);
    fprintf(out, "  trace     %zu ops\n", finding->trace.count);
    write_indented_trace(out, &finding->trace);
    fprintf(out, "  program\n\n");
    write_program(out, finding);
}

static void write_bare_trace(FILE *out, const struct finding *finding)
{
    trace_write_text(out, &finding->trace);
}

/* What a writer writes, as a JSON string. */
static json_t *capture(void (*write_part)(FILE *out, const struct finding *finding),
                       const struct finding *finding)
{
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    if (memory == NULL)
        return NULL;
    write_part(memory, finding);
    json_t *string = fclose(memory) == 0 ? json_stringn(text, length) : NULL;
    free(text);
    return string;
}

json_t *report_finding_json(const struct finding *finding)
{
    json_t *op = finding->op < finding->trace.count ? json_integer(finding->op) : json_null();
    return json_pack("{s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:{s:i, s:i}, s:s}", "subject",
                     finding->subject, "check", finding->check, "site", finding->site, "op", op,
                     "sentence", finding->sentence, "trace", capture(write_bare_trace, finding),
                     "program", capture(write_program, finding), "reproduced", "times",
                     (int)finding->reproduced, "of", (int)finding->attempts, "output",
                     finding->output);
}

void report_write_trace(FILE *out, const struct finding *finding)
{
    fprintf(out, "# check: %s\n# site: %s\n# found: %s\n# subject: %s\n# reproduced: %u of %u\n",
            finding->check, finding->site, finding->sentence, finding->subject, finding->reproduced,
            finding->attempts);
    trace_write_text(out, &finding->trace);
}

static void write_json(FILE *out, const struct finding *finding)
{
    json_t *object = report_finding_json(finding);
    if (object == NULL || json_dumpf(object, out, JSON_INDENT(2)) != 0)
        errno = errno != 0 ? errno : ENOMEM;
    fputc('\n', out);
    json_decref(object);
}

static int save_part(const char *folder, const char *name,
                     void (*write_part)(FILE *, const struct finding *),
                     const struct finding *finding, char error[REPORT_ERROR_MAX])
{
    char path[PATH_MAX];
    struct output output;
    snprintf(path, sizeof path, "%.3900s/%s", folder, name);
    int result = output_open(&output, path, error);
    if (result != 0)
        return result;
    write_part(output.file, finding);
    return output_close(&output, error);
}

int report_save(const char *folder, const struct finding *finding, char error[REPORT_ERROR_MAX])
{
    char name[VERDICT_CLASS_MAX], path[PATH_MAX];
    struct verdict verdict = finding_verdict(finding);
    verdict_class_name(&verdict, name);
    snprintf(path, sizeof path, "%.3800s/%s", folder, name);
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        int result = errno;
        snprintf(error, REPORT_ERROR_MAX, "cannot make the folder %.160s: %s", path,
                 strerror(result));
        return result;
    }
    int result = save_part(path, "trace.trace", report_write_trace, finding, error);
    if (result == 0)
        result = save_part(path, "program.c", write_program, finding, error);
    if (result == 0)
        result = save_part(path, "finding.json", write_json, finding, error);
    return result;
}
