/* SPDX-License-Identifier: MIT */
/*
 * JUnit XML as Jenkins' schema defines it: a suite for each subject, a case for each clause,
 * classes by family. A failure that the baseline expects is skipped with the reason. Other evidence
 * is the case's output.
 */
#include "conformance/report_formats.h"

#include "harness/cli/cli.h"

#include <errno.h>
#include <libxml/xmlwriter.h>

static void write_attribute(xmlTextWriter *writer, const char *name, const char *value)
{
    xmlTextWriterWriteAttribute(writer, BAD_CAST name, BAD_CAST value);
}

static void write_number(xmlTextWriter *writer, const char *name, size_t value)
{
    xmlTextWriterWriteFormatAttribute(writer, BAD_CAST name, "%zu", value);
}

/* An element with a message and a text below it, where there are such. `skipped` may have no
 * attribute by Jenkins' schema. */
static void write_note(xmlTextWriter *writer, const char *element, const char *type,
                       const char *message, const char *text)
{
    xmlTextWriterStartElement(writer, BAD_CAST element);
    if (type != NULL)
        write_attribute(writer, "type", type);
    if (message != NULL)
        write_attribute(writer, "message", message);
    if (text != NULL)
        xmlTextWriterWriteString(writer, BAD_CAST text);
    xmlTextWriterEndElement(writer);
}

static void write_outcome(xmlTextWriter *writer, const struct clause_result *result,
                          const char *excuse)
{
    const char *verdict = clause_verdict_name(result->verdict);
    char message[REPORT_COUNTS_MAX];
    switch (result->verdict) {
    case CLAUSE_FAIL:
    case CLAUSE_ERROR:
        if (excuse != NULL)
            write_note(writer, "skipped", NULL, NULL, excuse);
        else
            write_note(writer, result->verdict == CLAUSE_FAIL ? "failure" : "error",
                       strength_name(result->clause->strength), result->evidence,
                       result->clause->requirement);
        if (excuse == NULL)
            return;
        break;
    case CLAUSE_NOT_APPLICABLE:
    case CLAUSE_UNSUPPORTED:
    case CLAUSE_UNTESTABLE:
    case CLAUSE_NOT_RUN:
        snprintf(message, sizeof message, "%s: %s", verdict, result->evidence);
        write_note(writer, "skipped", NULL, NULL, message);
        return;
    default:
        break;
    }
    if (result->evidence[0] != '\0')
        xmlTextWriterWriteFormatElement(writer, BAD_CAST "system-out", "%s: %s", verdict,
                                        result->evidence);
}

static void write_case(xmlTextWriter *writer, const struct report_column *column,
                       const struct clause_result *result)
{
    char name[REPORT_NAME_MAX];
    report_case_name(column, result, name);
    xmlTextWriterStartElement(writer, BAD_CAST "testcase");
    write_attribute(writer, "name", name);
    xmlTextWriterWriteFormatAttribute(writer, BAD_CAST "classname", "%s.%s", column->name,
                                      report_family_name(report_family_of(result->clause)));
    write_outcome(writer, result, report_excuse(column, result));
    xmlTextWriterEndElement(writer);
}

static void write_property(xmlTextWriter *writer, const char *name, const char *value)
{
    xmlTextWriterStartElement(writer, BAD_CAST "property");
    write_attribute(writer, "name", name);
    write_attribute(writer, "value", value);
    xmlTextWriterEndElement(writer);
}

static void write_properties(xmlTextWriter *writer, const struct conform_report *report)
{
    char profiles[PROFILES_TEXT_MAX];
    xmlTextWriterStartElement(writer, BAD_CAST "properties");
    write_property(writer, "tool", argp_program_version);
    write_property(writer, "profiles", profiles_text(report->profiles, profiles));
    xmlTextWriterEndElement(writer);
}

struct suite_counts {
    size_t failures, errors, skipped;
};

static struct suite_counts count_suite(const struct report_column *column)
{
    struct suite_counts counts = {0};
    for (size_t i = 0; i < column->results.count; i++) {
        const struct clause_result *result = &column->results.results[i];
        bool is_new = report_is_new(column, result);
        counts.failures += is_new && result->verdict == CLAUSE_FAIL;
        counts.errors += is_new && result->verdict == CLAUSE_ERROR;
        counts.skipped += (report_is_bad(result) && !is_new) ||
                          result->verdict == CLAUSE_NOT_APPLICABLE ||
                          result->verdict == CLAUSE_UNSUPPORTED ||
                          result->verdict == CLAUSE_UNTESTABLE || result->verdict == CLAUSE_NOT_RUN;
    }
    return counts;
}

static void write_suite(xmlTextWriter *writer, const struct conform_report *report,
                        const struct report_column *column)
{
    struct suite_counts counts = count_suite(column);
    xmlTextWriterStartElement(writer, BAD_CAST "testsuite");
    write_attribute(writer, "name", column->name);
    write_number(writer, "tests", column->results.count);
    write_number(writer, "failures", counts.failures);
    write_number(writer, "errors", counts.errors);
    write_number(writer, "skipped", counts.skipped);
    xmlTextWriterWriteFormatAttribute(writer, BAD_CAST "time", "%u.%03u",
                                      column->results.wall_ms / 1000,
                                      column->results.wall_ms % 1000);
    write_properties(writer, report);
    for (size_t i = 0; i < column->results.count; i++)
        write_case(writer, column, &column->results.results[i]);
    xmlTextWriterEndElement(writer);
}

int report_write_junit(FILE *out, const struct conform_report *report)
{
    xmlBuffer *buffer = xmlBufferCreate();
    xmlTextWriter *writer = buffer != NULL ? xmlNewTextWriterMemory(buffer, 0) : NULL;
    if (writer == NULL) {
        xmlBufferFree(buffer);
        return ENOMEM;
    }
    xmlTextWriterSetIndent(writer, 1);
    xmlTextWriterStartDocument(writer, NULL, "UTF-8", NULL);
    xmlTextWriterStartElement(writer, BAD_CAST "testsuites");
    write_attribute(writer, "name", "mallet conform");
    for (size_t i = 0; i < report->count; i++)
        write_suite(writer, report, &report->columns[i]);
    int result = xmlTextWriterEndDocument(writer) >= 0 ? 0 : ENOMEM;
    xmlFreeTextWriter(writer);
    if (result == 0)
        fputs((const char *)xmlBufferContent(buffer), out);
    xmlBufferFree(buffer);
    return result;
}
