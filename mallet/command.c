/* SPDX-License-Identifier: MIT */
#include "mallet/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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
