/* SPDX-License-Identifier: MIT */
/* Text without stdio: bounded, always terminated, allocates nothing, safe at any time. What does
 * not fit is cut off. */
#ifndef ANVIL_TEXT_H
#define ANVIL_TEXT_H

#include "base.h"

struct text {
    char *buffer;
    size_t capacity; /* bytes, the terminating zero included; 0: everything is dropped */
    size_t length;
};

struct text text_start(char *buffer, size_t capacity);
/* Appends. Of printf's language only %s, %zu, %p and %% are known. */
__attribute__((format(printf, 2, 3))) void text_add(struct text *text, const char *format, ...);
/* Writes the whole text to a file descriptor, as far as that is possible. */
void text_write(const struct text *text, int fd);

#endif
