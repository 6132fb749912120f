/* SPDX-License-Identifier: MIT */
#include "mallet/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_sentence(const char *format, va_list arguments)
{
    fflush(stdout);
    fputs("mallet: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

int refuse(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_sentence(format, arguments);
    va_end(arguments);
    return EXIT_REFUSED;
}

int report_internal_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_sentence(format, arguments);
    va_end(arguments);
    return EXIT_INTERNAL;
}

unsigned long long parse_number(const char *option, const char *text, unsigned long long max)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number > max)
        exit(refuse("%s: `%s` is not a number from 0 to %llu", option, text, max));
    return number;
}

unsigned parse_time(const char *option, const char *text)
{
    char *unit;
    errno = 0;
    unsigned long number = strtoul(text, &unit, 10);
    unsigned long factor = strcmp(unit, "m") == 0 ? 60 : strcmp(unit, "h") == 0 ? 3600 : 1;
    bool is_unit = *unit == '\0' || strcmp(unit, "s") == 0 || factor != 1;
    if (text[0] < '0' || text[0] > '9' || !is_unit || errno != 0 || number == 0 ||
        number > TIME_MAX_S / factor)
        exit(refuse("%s: `%s` is no time such as 90s, 15m or 8h, 30 days at most", option, text));
    return (unsigned)(number * factor);
}

enum subject_binding parse_binding(const char *text)
{
    int binding = subject_binding_find(text);
    if (binding < 0)
        exit(refuse("--binding: `%s` is none of auto, static, dlopen, dlmopen, preload, host",
                    text));
    return (enum subject_binding)binding;
}
