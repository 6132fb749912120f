/* SPDX-License-Identifier: MIT */
/*
 * All three forms are made of the same parts. Whatever a subject printed, or put into a sentence,
 * is foreign text: it is made printable before it goes anywhere, JSON included, which takes valid
 * UTF-8 only.
 */
#include "mallet/report.h"

#include "mallet/output.h"
#include "mallet/trace_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct printable report_printable(const char *foreign)
{
    struct printable printable = {0};
    for (size_t i = 0; i < sizeof printable.text - 1 && foreign[i] != '\0'; i++)
        printable.text[i] = (char)(foreign[i] >= ' ' && foreign[i] <= '~' ? foreign[i] : '?');
    return printable;
}

static void format_op(const struct trace *trace, const struct verdict *verdict,
                      char ret_text[TRACE_LINE_MAX])
{
    if (verdict->op < trace->count)
        trace_format_op(&trace->ops[verdict->op], ret_text);
    else
        snprintf(ret_text, TRACE_LINE_MAX, "after the last op");
}

void report_verdict(FILE *out, const struct trace *trace, const struct verdict *verdict,
                    const char *output)
{
    char op[TRACE_LINE_MAX];
    format_op(trace, verdict, op);
    fprintf(out, "  check     %s: %s\n", check_name(verdict->check), check_asserts(verdict->check));
    if (verdict->op < trace->count)
        fprintf(out, "  at op %-3u %s\n", verdict->op, op);
    else
        fprintf(out, "  at        %s\n", op);
    fprintf(out, "  what      %s\n", report_printable(verdict->sentence).text);
    if (output[0] != '\0')
        fprintf(out, "  output    %s\n", report_printable(output).text);
}

static void write_indented_trace(FILE *out, const struct trace *trace)
{
    for (size_t i = 0; i < trace->count; i++) {
        char line[TRACE_LINE_MAX];
        trace_format_op(&trace->ops[i], line);
        fprintf(out, "    %s\n", line);
    }
}

void report_finding(FILE *out, const char *subject, const struct finding *finding)
{
    fprintf(out, "%s breaks `%s` in %s, reproduced %u of %u\n", subject,
            check_name(finding->verdict.check), report_printable(finding->verdict.site).text,
            finding->reproduced, finding->attempts);
    report_verdict(out, &finding->trace, &finding->verdict, finding->output);
    fprintf(out, "  trace     %zu ops\n", finding->trace.count);
    write_indented_trace(out, &finding->trace);
    fprintf(out, "  program\n\n");
    export_program(out, &finding->trace, &finding->verdict);
}

static void write_program(FILE *out, const char *subject, const struct finding *finding)
{
    (void)subject;
    export_program(out, &finding->trace, &finding->verdict);
}

static void write_bare_trace(FILE *out, const char *subject, const struct finding *finding)
{
    (void)subject;
    trace_write_text(out, &finding->trace);
}

/* What a writer writes, as a JSON string. */
static json_t *capture(void (*write_part)(FILE *out, const char *subject,
                                          const struct finding *finding),
                       const struct finding *finding)
{
    char *text = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&text, &length);
    if (memory == NULL)
        return NULL;
    write_part(memory, "", finding);
    json_t *string = fclose(memory) == 0 ? json_stringn(text, length) : NULL;
    free(text);
    return string;
}

json_t *report_finding_json(const char *subject, const struct finding *finding)
{
    const struct verdict *verdict = &finding->verdict;
    json_t *op = verdict->op < finding->trace.count ? json_integer(verdict->op) : json_null();
    struct printable site = report_printable(verdict->site),
                     sentence = report_printable(verdict->sentence);
    struct printable output = report_printable(finding->output), name = report_printable(subject);
    return json_pack("{s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:{s:i, s:i}, s:s}", "subject", name.text,
                     "check", check_name(verdict->check), "site", site.text, "op", op, "sentence",
                     sentence.text, "trace", capture(write_bare_trace, finding), "program",
                     capture(write_program, finding), "reproduced", "times",
                     (int)finding->reproduced, "of", (int)finding->attempts, "output", output.text);
}

void report_write_trace(FILE *out, const char *subject, const struct finding *finding)
{
    fprintf(out, "# check: %s\n# site: %s\n# found: %s\n# subject: %s\n# reproduced: %u of %u\n",
            check_name(finding->verdict.check), report_printable(finding->verdict.site).text,
            report_printable(finding->verdict.sentence).text, report_printable(subject).text,
            finding->reproduced, finding->attempts);
    trace_write_text(out, &finding->trace);
}

static void write_json(FILE *out, const char *subject, const struct finding *finding)
{
    json_t *object = report_finding_json(subject, finding);
    if (object == NULL || json_dumpf(object, out, JSON_INDENT(2)) != 0)
        errno = errno != 0 ? errno : ENOMEM;
    fputc('\n', out);
    json_decref(object);
}

static int save_part(const char *folder, const char *name,
                     void (*write_part)(FILE *, const char *, const struct finding *),
                     const char *subject, const struct finding *finding,
                     char error[REPORT_ERROR_MAX])
{
    char path[PATH_MAX];
    struct output output;
    snprintf(path, sizeof path, "%.3900s/%s", folder, name);
    int result = output_open(&output, path, error);
    if (result != 0)
        return result;
    write_part(output.file, subject, finding);
    return output_close(&output, error);
}

int report_save(const char *folder, const char *subject, const struct finding *finding,
                char error[REPORT_ERROR_MAX])
{
    char name[VERDICT_CLASS_MAX], path[PATH_MAX];
    verdict_class_name(&finding->verdict, name);
    snprintf(path, sizeof path, "%.3800s/%s", folder, name);
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        int result = errno;
        snprintf(error, REPORT_ERROR_MAX, "cannot make the folder %.160s: %s", path,
                 strerror(result));
        return result;
    }
    int result = save_part(path, "trace.trace", report_write_trace, subject, finding, error);
    if (result == 0)
        result = save_part(path, "program.c", write_program, subject, finding, error);
    if (result == 0)
        result = save_part(path, "finding.json", write_json, subject, finding, error);
    return result;
}

int report_print_json(json_t *document)
{
    if (document == NULL)
        return ENOMEM;
    /* a failed write shows when stdout is flushed at exit */
    json_dumpf(document, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(document);
    return 0;
}
