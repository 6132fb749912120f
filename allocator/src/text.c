/* SPDX-License-Identifier: MIT */
/*
 * A small formatter that works while a heap is broken or locked: panics, reports of the checker,
 * dumps and statistics use it.
 */
#include "text.h"

#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

struct text text_start(char *buffer, size_t capacity)
{
    if (capacity > 0)
        buffer[0] = '\0';
    return (struct text){.buffer = buffer, .capacity = capacity};
}

static void add_char(struct text *text, char c)
{
    if (text->length + 1 >= text->capacity)
        return;
    text->buffer[text->length++] = c;
    text->buffer[text->length] = '\0';
}

static void add_string(struct text *text, const char *string)
{
    for (; *string != '\0'; string++)
        add_char(text, *string);
}

static void add_number(struct text *text, size_t value, unsigned base)
{
    char digits[24];
    size_t count = 0;
    do
        digits[count++] = "0123456789abcdef"[value % base];
    while ((value /= base) != 0);
    while (count > 0)
        add_char(text, digits[--count]);
}

void text_add(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    for (const char *at = format; *at != '\0'; at++) {
        if (*at != '%') {
            add_char(text, *at);
        } else if (*++at == 's') {
            add_string(text, va_arg(arguments, const char *));
        } else if (*at == 'z') {
            at++; /* the u of %zu */
            add_number(text, va_arg(arguments, size_t), 10);
        } else if (*at == 'p') {
            add_string(text, "0x");
            add_number(text, (uintptr_t)va_arg(arguments, void *), 16);
        } else {
            add_char(text, '%');
        }
    }
    va_end(arguments);
}

/* Not write(2): that is a point of cancellation, where a thread would leave a panic unnoticed. */
void text_write(const struct text *text, int fd)
{
    size_t done = 0;
    while (done < text->length) {
        long count = syscall(SYS_write, fd, text->buffer + done, text->length - done);
        if (count <= 0)
            return;
        done += (size_t)count;
    }
}
