/* SPDX-License-Identifier: MIT */
/* All three forms are made of the same parts. */
#include "mallet/report.h"

#include "harness/base/text.h"
#include "harness/cli/cli.h"
#include "harness/cli/output.h"
#include "harness/finding/finding_json.h"
#include "harness/program/export.h"
#include "mallet/trace_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void report_verdict(FILE *out, const struct finding *finding)
{
    char op[TRACE_LINE_MAX];
    const struct verdict verdict = finding_verdict(finding);
    fprintf(out, "  check     %s: %s\n", finding->check, check_asserts(check_find(finding->check)));
    if (finding->op < finding->trace.count) {
        trace_format_op(&finding->trace.ops[finding->op], op);
        fprintf(out, "  at op %-3u %s\n", finding->op, op);
    } else {
        fprintf(out, "  at        after the last op\n");
    }
    if (verdict_is_late(&verdict))
        fprintf(out, "  in cycle  %u of the trace, each of which frees everything\n",
                finding->cycle + 1);
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

static int write_program(FILE *out, const struct finding *finding)
{
    struct verdict verdict = finding_verdict(finding);
    return export_program(out, &finding->trace, &verdict);
}

void report_finding(FILE *out, const struct finding *finding)
{
    fprintf(out, "%s breaks `%s` in %s, reproduced %u of %u\n", finding->subject, finding->check,
            finding->site, finding->reproduced, finding->attempts);
    report_verdict(out, finding);
    fprintf(out, "  trace     %zu op%s\n", finding->trace.count, text_plural(finding->trace.count));
    write_indented_trace(out, &finding->trace);
    fprintf(out, "  program\n\n");
    write_program(out, finding);
}

char *report_finding_program(const struct finding *finding)
{
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    if (memory == NULL)
        return NULL;
    int failed = write_program(memory, finding);
    if (fclose(memory) == 0 && failed == 0)
        return text;
    free(text);
    return NULL;
}

json_t *report_finding_json(const struct finding *finding)
{
    struct finding whole = *finding;
    if (finding->program != NULL)
        return finding_to_json(finding);
    char *program = report_finding_program(finding);
    whole.program = program;
    json_t *object = program != NULL ? finding_to_json(&whole) : NULL;
    free(program);
    return object;
}

bool report_add_finding(struct cli_findings *findings, struct finding *finding)
{
    if (finding->program != NULL)
        return cli_findings_add(findings, finding);
    char *program = report_finding_program(finding);
    finding->program = program;
    bool is_new = cli_findings_add(findings, finding);
    finding->program = NULL;
    free(program);
    return is_new;
}

void report_write_trace(FILE *out, const struct finding *finding)
{
    fprintf(out, "# check: %s\n# site: %s\n# found: %s\n# subject: %s\n# reproduced: %u of %u\n",
            finding->check, finding->site, finding->sentence, finding->subject, finding->reproduced,
            finding->attempts);
    trace_write_text(out, &finding->trace);
}

static int save_trace(FILE *out, const struct finding *finding)
{
    report_write_trace(out, finding);
    return 0;
}

static int save_program(FILE *out, const struct finding *finding)
{
    return write_program(out, finding);
}

static int save_json(FILE *out, const struct finding *finding)
{
    return cli_write_json(report_finding_json(finding), out);
}

static int save_part(const char *folder, const char *name,
                     int (*write_part)(FILE *, const struct finding *),
                     const struct finding *finding, char error[REPORT_ERROR_MAX])
{
    char path[PATH_MAX], class[VERDICT_CLASS_MAX];
    struct verdict verdict = finding_verdict(finding);
    struct output output;
    verdict_class_name(&verdict, class);
    snprintf(path, sizeof path, "%.3800s/%s/%s", folder, class, name);
    int result = output_open(&output, path, error);
    if (result != 0)
        return result;
    result = write_part(output.file, finding);
    if (result == 0)
        return output_close(&output, error);
    output_drop(&output);
    snprintf(error, REPORT_ERROR_MAX, "cannot write %.160s: %s", path, strerror(result));
    return result;
}

int report_save_json(const char *folder, const struct finding *finding,
                     char error[REPORT_ERROR_MAX])
{
    return save_part(folder, "finding.json", save_json, finding, error);
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
    int result = save_part(folder, "trace.trace", save_trace, finding, error);
    if (result == 0)
        result = save_part(folder, "program.c", save_program, finding, error);
    return result == 0 ? report_save_json(folder, finding, error) : result;
}
