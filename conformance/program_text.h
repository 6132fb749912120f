/* SPDX-License-Identifier: MIT */
/* The little of C that program.c must know: words, items and the names that they define; and the
 * comment at a program's top. */
#ifndef CONFORMANCE_PROGRAM_TEXT_H
#define CONFORMANCE_PROGRAM_TEXT_H

#include "conformance/gate.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct word {
    const char *start;
    size_t length;
};

/* What stands between two blank lines of a file, its last newline included. */
struct item {
    const char *start, *end;
    bool is_kit_header, is_taken;
};

/* Moves *at behind the next identifier, number or other character that is neither in a comment nor
 * in a literal; false: there is none. */
bool token_next(const char **at, const char *end, struct word *ret_token);
/* The same, of identifiers only. */
bool word_next(const char **at, const char *end, struct word *ret_word);
bool word_same(const struct word *left, const struct word *right);

/* Moves *at behind the next item and sets its two ends; false: there is none. */
bool item_next(const char **at, const char *end, struct item *ret_item);
/* Tells every name that the item defines or declares at file level: functions, objects, tags,
 * enumerators, macros. */
void item_names(struct item *item, void (*tell)(struct item *item, struct word name, void *context),
                void *context);
bool item_is_probe(const struct item *item, const char *name);
/* Where the PROBE( of a probe's item begins; *ret_behind: what follows its parenthesis. */
const char *item_heading(const struct item *item, const char **ret_behind);
/* Whether brackets, #if and #endif match. */
bool item_is_whole(const struct item *item);

void text_write_opening(FILE *out, const struct clause_result *result, const char *subject);

#endif
