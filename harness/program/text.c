/* SPDX-License-Identifier: MIT */
/*
 * A small scanner for C text: skips comments and literals, finds words, items and the names that
 * items define.
 */
#include "harness/program/text.h"

#include <ctype.h>
#include <string.h>

static bool is_word_letter(char letter)
{
    return isalnum((unsigned char)letter) || letter == '_';
}

static const char *skip_literal(const char *at, const char *end)
{
    char quote = *at++;
    while (at < end && *at != quote && *at != '\n')
        at += *at == '\\' && at + 1 < end ? 2 : 1;
    return at < end ? at + 1 : end;
}

static const char *skip_comment(const char *at, const char *end)
{
    bool is_line = at[1] == '/';
    for (at += 2; at < end; at++)
        if (is_line ? *at == '\n' : at[-1] == '*' && at[0] == '/')
            return at + 1;
    return end;
}

bool token_next(const char **at, const char *end, struct word *ret_token)
{
    const char *start = *at;
    while (start < end) {
        if (isspace((unsigned char)*start))
            start++;
        else if (*start == '/' && start + 1 < end && (start[1] == '*' || start[1] == '/'))
            start = skip_comment(start, end);
        else if (*start == '"' || *start == '\'')
            start = skip_literal(start, end);
        else
            break;
    }
    size_t length = 0;
    while (start + length < end && is_word_letter(start[length]))
        length++;
    if (start < end && length == 0)
        length = 1;
    *ret_token = (struct word){start, length};
    *at = start + length;
    return length > 0;
}

static bool is_identifier(const struct word *token)
{
    return is_word_letter(token->start[0]) && !isdigit((unsigned char)token->start[0]);
}

bool word_next(const char **at, const char *end, struct word *ret_word)
{
    while (token_next(at, end, ret_word))
        if (is_identifier(ret_word))
            return true;
    return false;
}

bool word_same(const struct word *left, const struct word *right)
{
    return left->length == right->length && memcmp(left->start, right->start, left->length) == 0;
}

bool word_is(const struct word *word, const char *text)
{
    return word->length == strlen(text) && memcmp(word->start, text, word->length) == 0;
}

/* Behind the line's end; of a directive, behind the last line that a backslash continues. */
static const char *skip_line(const char *at, const char *end)
{
    while (at < end && (*at != '\n' || at[-1] == '\\'))
        at++;
    return at < end ? at + 1 : end;
}

const char *line_end(const char *line, const char *end)
{
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    return newline != NULL ? newline + 1 : end;
}

bool line_begins(const char *line, const char *end, const char *text)
{
    return (size_t)(end - line) >= strlen(text) && memcmp(line, text, strlen(text)) == 0;
}

/* How deep the end of the item so far is in brackets and conditions: 0 at file level. A directive
 * may stand inside of brackets, never the other way round. */
static int depth_of(const struct item *item)
{
    int depth = 0;
    struct word token;
    for (const char *at = item->start; token_next(&at, item->end, &token);) {
        char letter = token.start[0];
        if (letter == '#' && (token.start == item->start || token.start[-1] == '\n')) {
            token_next(&at, item->end, &token);
            depth += line_begins(token.start, item->end, "if");
            depth -= word_is(&token, "endif");
        } else if (token.length == 1) {
            depth += strchr("([{", letter) != NULL;
            depth -= strchr(")]}", letter) != NULL;
        }
    }
    return depth;
}

bool item_is_whole(const struct item *item)
{
    return depth_of(item) == 0;
}

bool item_next(const char **at, const char *end, struct item *ret_item)
{
    while (*at < end && **at == '\n')
        ++*at;
    *ret_item = (struct item){*at, *at};
    while (*at < end && (**at != '\n' || depth_of(ret_item) != 0))
        ret_item->end = *at = line_end(*at, end);
    return ret_item->start < ret_item->end;
}

/* `static _Atomic(int) x;`, `struct {`: these name nothing. */
static bool can_be_name(const struct word *word)
{
    static const char *const keywords[] = {"struct",         "enum",          "union",     "void",
                                           "_Atomic",        "_Alignas",      "__asm__",   "ElfW",
                                           "_Static_assert", "__attribute__", "__typeof__"};
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
        if (word_is(word, keywords[i]))
            return false;
    return word->length > 0;
}

/* A name stands before the first bracket, `=`, `,` or `;` at file level, that of a function pointer
 * before its `)`; enumerators inside. */
void item_names(const struct item *item, void (*tell)(struct word name, void *context),
                void *context)
{
    int depth = 0, enum_depth = -1;
    bool is_enum = false;
    struct word token, last = {0};
    for (const char *at = item->start; token_next(&at, item->end, &token);) {
        char letter = token.start[0];
        if (letter == '#') {
            if (word_next(&at, item->end, &token) && word_is(&token, "define") &&
                word_next(&at, item->end, &token))
                tell(token, context);
            at = skip_line(at, item->end);
        } else if (is_identifier(&token)) {
            is_enum |= depth == 0 && word_is(&token, "enum");
            if (depth == 0)
                last = token;
            else if (depth == enum_depth)
                tell(token, context);
        } else {
            bool is_pointer = letter == '(' && *at == '*' && depth == 0;
            if (depth == 0 && strchr("([{=,;)", letter) != NULL && !is_pointer &&
                can_be_name(&last))
                tell(last, context);
            if (depth == 0)
                enum_depth = letter == '{' && is_enum ? 1 : -1;
            is_enum = false;
            depth += strchr("([{", letter) != NULL && !is_pointer;
            depth -= strchr(")]}", letter) != NULL && depth > 0;
            last = depth == 0 ? (struct word){0} : last;
        }
    }
}

bool item_is_declaration(const struct item *item)
{
    size_t length = (size_t)(item->end - item->start);
    return memchr(item->start, '{', length) == NULL && memchr(item->start, '#', length) == NULL;
}
