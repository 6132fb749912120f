/* SPDX-License-Identifier: MIT */
/* Text without stdio: bounded, always terminated, allocates nothing, may be used at any time. Text
 * that does not fit is cut off. */
#ifndef ANVIL_TEXT_H
#define ANVIL_TEXT_H

#include "base.h"

struct text {
    char *buffer;
    size_t capacity; /* bytes, the terminating zero included; with 0 all text is dropped */
    size_t length;
};

struct text text_start(char *buffer, size_t capacity);
/* Appends. The format knows only %s, %zu, %p and %%. */
__attribute__((format(printf, 2, 3))) void text_add(struct text *text, const char *format, ...);
/* Writes the whole text to a file descriptor, as far as that is possible. */
void text_write(const struct text *text, int fd);

#endif
