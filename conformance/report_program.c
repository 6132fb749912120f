/* SPDX-License-Identifier: MIT */
/* Writes the standalone C program of a failure, and chooses its file name. */
#include "conformance/program.h"
#include "conformance/report_formats.h"
#include "harness/program/program.h"

#include <stdlib.h>
#include <string.h>

void report_program_path(const char *folder, const struct report_column *column,
                         const struct clause_result *result, char ret_path[PATH_MAX])
{
    char name[64];
    snprintf(name, sizeof name, "%s", column->name);
    for (char *letter = name; *letter != '\0'; letter++)
        if (strchr("/ \t\n\\", *letter) != NULL)
            *letter = '_';
    snprintf(ret_path, PATH_MAX, "%.3800s/%s-%s.c", folder, name, result->clause->id);
}

char *report_make_program(const struct report_column *column, const struct clause_result *result)
{
    char *text = NULL;
    size_t length;
    FILE *memory = open_memstream(&text, &length);
    if (memory == NULL)
        return NULL;
    program_use_compile_option(column->compile_option);
    int failed = program_write(memory, result, column->name);
    if (fclose(memory) == 0 && failed == 0)
        return text;
    free(text);
    return NULL;
}
