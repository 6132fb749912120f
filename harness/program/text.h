/* SPDX-License-Identifier: MIT */
/*
 * The little of C that program.c must know: words, items, and the names that items define.
 *
 * An item is what stands at file level between two blank lines; a blank line inside brackets or
 * between #if and #endif ends nothing.
 */
#ifndef HARNESS_TEXT_H
#define HARNESS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct word {
    const char *start;
    size_t length;
};

struct item {
    const char *start, *end; /* its last newline included */
};

/* Moves *at behind the next identifier, number or other character that is neither in a comment nor
 * in a literal; false: there is none. */
bool token_next(const char **at, const char *end, struct word *ret_token);
/* The same, of identifiers only. */
bool word_next(const char **at, const char *end, struct word *ret_word);
bool word_is(const struct word *word, const char *text);
bool word_same(const struct word *left, const struct word *right);
/* Whether the line begins with these letters. */
bool line_begins(const char *line, const char *end, const char *text);
/* Behind the line's end. */
const char *line_end(const char *line, const char *end);

/* Moves *at behind the next item; false: there is none. */
bool item_next(const char **at, const char *end, struct item *ret_item);
/* Tells every name that the item defines or declares at file level: functions, objects, tags,
 * enumerators, macros. */
void item_names(const struct item *item, void (*tell)(struct word name, void *context),
                void *context);
/* Whether brackets, #if and #endif match. */
bool item_is_whole(const struct item *item);
/* Whether the item only declares what another defines. */
bool item_is_declaration(const struct item *item);

#endif
