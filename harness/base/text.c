/* SPDX-License-Identifier: MIT */
#include "harness/base/text.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static char printable(char byte)
{
    return (char)(byte >= ' ' && byte <= '~' ? byte : '?');
}

void text_copy_printable(char *ret_text, size_t capacity, const char *text)
{
    size_t i = 0;
    for (; i + 1 < capacity && text[i] != '\0'; i++)
        ret_text[i] = printable(text[i]);
    ret_text[i] = '\0';
}

static bool has_word(const char *line, size_t length)
{
    size_t i = 0;
    while (i < length && !isalnum((unsigned char)line[i]))
        i++;
    return i < length;
}

void text_keep_line(char *line, size_t capacity, const char *bytes, size_t length)
{
    size_t used = strlen(line);
    for (size_t i = 0; i < length; i++) {
        if (used > 0 && line[used - 1] == '\n')
            return;
        if (bytes[i] != '\n' && used + 2 < capacity)
            line[used++] = printable(bytes[i]);
        else if (bytes[i] == '\n' && has_word(line, used))
            line[used++] = '\n';
        else if (bytes[i] == '\n')
            used = 0;
        line[used] = '\0';
    }
}

void text_copy_line(char *ret_line, size_t capacity, const char *line)
{
    snprintf(ret_line, capacity, "%.*s", (int)strcspn(line, "\n"), line);
}
