/* SPDX-License-Identifier: MIT */
/* The table of report formats. */
#include "conformance/report_formats.h"

#include <string.h>

static const struct conform_format formats[] = {
    {"table", report_write_table}, {"tap", report_write_tap},
    {"junit", report_write_junit}, {"json", report_write_json},
    {"sarif", report_write_sarif}, {"markdown", report_write_markdown},
    {"html", report_write_html},
};

const struct conform_format *conform_format_at(size_t i)
{
    return i < sizeof formats / sizeof formats[0] ? &formats[i] : NULL;
}

const struct conform_format *conform_format_find(const char *name)
{
    size_t i = 0;
    while (conform_format_at(i) != NULL && strcmp(formats[i].name, name) != 0)
        i++;
    return conform_format_at(i);
}
