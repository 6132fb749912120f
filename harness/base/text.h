/* SPDX-License-Identifier: MIT */
/* Text from untrusted processes: bounded and printable before it reaches a person or a file. */
#ifndef HARNESS_TEXT_H
#define HARNESS_TEXT_H

#include <stddef.h>

/* The end of the noun behind a number: "1 trace", "2 traces". */
static inline const char *text_plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* Copies a text that may lack its terminator: at most capacity - 1 bytes, '?' for what is not
 * printable ASCII. Both may be the same. */
void text_copy_printable(char *ret_text, size_t capacity, const char *text);

/* Appends printed bytes to a line that started as "": keeps the first line that has a letter or a
 * digit, printable, and drops the rest. Call it with each chunk of output, in order; the line ends
 * with '\n' once it is complete. */
void text_keep_line(char *line, size_t capacity, const char *bytes, size_t length);

/* Copies a kept line without the '\n' at its end. */
void text_copy_line(char *ret_line, size_t capacity, const char *line);

#endif
